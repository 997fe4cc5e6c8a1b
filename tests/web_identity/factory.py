"""Pairs that wait for a decision."""

from typing import Any

from hongyan.contacts.models import Contact
from hongyan.identity.models import Candidate
from tests.identity.people import person

EVIDENCE = [
    {"comparison": "given_name", "level": "one_typo", "weight": 4.2},
    {"comparison": "family_name", "level": "exact", "weight": 6.1},
    {"comparison": "birth_date", "level": "exact", "weight": 12.8},
    {"comparison": "phone", "level": "different", "weight": -1.4},
    {"comparison": "email", "level": "unknown", "weight": 0.0},
    {"comparison": "city", "level": "exact", "weight": 3.1},
]


def pair(one: Contact, two: Contact, **facts: Any) -> Candidate:
    low, high = sorted((one.pk, two.pk))
    given = {"probability": 0.97, "value": 1.0, "weight": 5.0, "evidence": EVIDENCE, **facts}
    return Candidate.objects.create(contact_low=low, contact_high=high, **given)


def twins(number: int = 1, **more: Any) -> tuple[Contact, Contact, Candidate]:
    """Two records of one woman, who moved."""
    one = person(
        full_name="单晓燕",
        email=f"shan{number}@example.com",
        phone="+8613800138000",
        birth_date="1990-04-05",
        city="上海",
        street="南京西路 100 号",
        notes="VIP",
    )
    two = person(
        full_name="单小燕",
        email=f"xiaoyan{number}@example.org",
        phone="+8613912345678",
        birth_date="1990-04-05",
        city="杭州",
        street="文三路 20 号 3 单元",
        company="鸿雁商贸",
    )
    return one, two, pair(one, two, **more)
