from hongyan.accounts.types import Actor
from hongyan.audit.services import record

GUO = Actor(kind="user", id=7, label="Guo", ip="203.0.113.7")


def act(action: str, subject_id: str) -> None:
    record(actor=GUO, action=action, subject_kind="thing", subject_id=subject_id, data={"n": 1})
