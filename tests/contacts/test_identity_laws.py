"""What holds for every identity: it comes back from its seal as it was, and whatever is stored is found again."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.contacts.sealing import decode, encode
from hongyan.contacts.search import MAX_TOKENS, fold, query_tokens, search_tokens
from hongyan.contacts.types import IDENTITY_FIELDS, Identity
from hongyan.core.crypto.blind import BlindIndexer
from hongyan.core.crypto.sealing import SealBroken, Sealer

BLIND = BlindIndexer(b"k" * 32)
SEALER = Sealer(kind=b"contact", keys={1: b"a" * 32, 2: b"b" * 32}, current=2)
_VALUE = st.text(min_size=1, max_size=30)
IDENTITY = st.builds(
    lambda values, extra: Identity(**values, extra=extra),
    st.dictionaries(st.sampled_from(IDENTITY_FIELDS), _VALUE),
    st.dictionaries(st.text("abc_", min_size=1, max_size=6), _VALUE, max_size=3),
)
_LOCAL = st.from_regex(r"[a-z0-9]{1,3}[a-z0-9._+-]{0,12}[a-z0-9]", fullmatch=True)
_EMAIL = st.builds("{}@{}.example".format, _LOCAL, st.from_regex(r"[a-z][a-z0-9]{1,8}", fullmatch=True))
_PHONE = st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True)
_SURNAME = st.sampled_from(
    [("王", "wang"), ("李", "li"), ("欧阳", "ouyang"), ("单", "shan"), ("吕", "lv"), ("尉迟", "yuchi")]
)
_GIVEN = st.lists(
    st.sampled_from([("小", "xiao"), ("明", "ming"), ("雨", "yu"), ("芳", "fang"), ("建", "jian"), ("国", "guo")]),
    min_size=1,
    max_size=2,
)
_WESTERN = st.sampled_from(["Ada", "Lovelace", "Zoë", "O'Brien", "Nuñez", "van", "Łukasz", "Björk", "Smith"])


def finds(query: str, identity: dict[str, Any]) -> bool:
    tokens = set(search_tokens(identity, BLIND))
    terms = query_tokens(query, BLIND)
    return bool(terms) and all(tokens & set(alternatives) for alternatives in terms)


@given(IDENTITY)
def test_an_identity_comes_back_as_it_was(identity: Identity) -> None:
    assert decode(encode(identity)) == identity


@given(IDENTITY, st.integers(1, 2**62), st.integers(1, 2**62))
def test_a_blob_opens_for_its_owner_only(identity: Identity, owner: int, other: int) -> None:
    blob = SEALER.seal(encode(identity), owner_id=owner)
    assert decode(SEALER.open(blob, owner_id=owner)) == identity
    if other != owner:
        with pytest.raises(SealBroken):
            SEALER.open(blob, owner_id=other)


@given(IDENTITY, st.data())
def test_a_changed_bit_breaks_the_seal(identity: Identity, data: st.DataObject) -> None:
    blob = bytearray(SEALER.seal(encode(identity), owner_id=7))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealBroken):
        SEALER.open(bytes(blob), owner_id=7)


@given(st.lists(st.tuples(st.integers(1, 2**62), st.binary(max_size=60)), max_size=12))
def test_sealing_many_is_sealing_each(pairs: list[tuple[int, bytes]]) -> None:
    blobs = list(SEALER.seal_many(pairs))
    assert [SEALER.open(blob, owner_id=owner) for (owner, _), blob in zip(pairs, blobs, strict=True)] == [
        plain for _, plain in pairs
    ]
    assert len({blob[2:14] for blob in blobs}) == len(blobs)  # no nonce twice


@given(IDENTITY)
def test_tokens_are_few_and_the_same_each_time(identity: Identity) -> None:
    values = {name: getattr(identity, name) for name in IDENTITY_FIELDS} | {"extra": identity.extra}
    tokens = search_tokens(values, BLIND)
    assert tokens == search_tokens(values, BLIND)
    assert len(tokens) <= MAX_TOKENS + len(identity.extra)
    assert all(-(2**63) <= token < 2**63 for token in tokens)
    assert search_tokens(values, BlindIndexer(b"o" * 32)) != tokens or not tokens


@given(_EMAIL)
def test_an_address_is_found_in_full_by_its_beginning_and_by_its_domain(email: str) -> None:
    identity = {"email": email}
    local, _, host = email.partition("@")
    assert finds(email, identity)
    assert finds(email.upper(), identity)
    assert finds("@" + host, identity)
    for beginning in (local[:length] for length in range(3, len(local) + 1)):
        if re.search("[a-z]", beginning) or (beginning.isdigit() and len(beginning) < 11):
            assert finds(beginning, identity), beginning
    assert not finds("x" + email, identity)


@given(_PHONE)
def test_a_number_is_found_in_full_and_by_its_end(phone: str) -> None:
    identity = {"phone": phone}
    digits = phone[1:]
    for written in (
        phone,
        digits,
        f"{digits[:3]} {digits[3:]}",
        *(digits[-length:] for length in range(4, len(digits))),
    ):
        assert finds(written, identity), written
    assert not finds(digits[:-4] + f"{(int(digits[-4:]) + 1) % 10_000:04d}", identity)


@given(_SURNAME, _GIVEN)
def test_a_chinese_name_is_found_by_characters_pinyin_and_initials(
    surname: tuple[str, str], given_name: list[tuple[str, str]]
) -> None:
    family, family_sound = surname
    name = "".join(mark for mark, _ in given_name)
    sound = "".join(syllable for _, syllable in given_name)
    identity = {"full_name": family + name, "family_name": family, "given_name": name}
    whole = family + name
    for query in (whole, family, name, *(whole[:length] for length in range(1, len(whole)))):
        assert finds(query, identity), query
    for query in (family_sound + sound, family_sound, sound, (family_sound + sound).upper()):
        assert finds(query, identity), query
    for length in (2, 3, 4, 6):
        assert finds((family_sound + sound)[:length], identity)
    assert not finds("赵" + name, identity)


@given(st.lists(_WESTERN, min_size=1, max_size=3, unique=True))
def test_a_western_name_is_found_by_each_word_and_its_beginning(words: list[str]) -> None:
    identity = {"full_name": " ".join(words), "family_name": words[-1], "given_name": " ".join(words[:-1])}
    for word in words:
        assert finds(word, identity), word
        assert finds(fold(word), identity)
        assert finds(word[:2], identity)
    assert finds(" ".join(words), identity)
    assert finds(" ".join(reversed(words)), identity)
    assert not finds("Nobody", identity)


@given(st.text(max_size=60))
def test_any_query_is_answered(text: str) -> None:
    terms = query_tokens(text, BLIND)
    assert all(alternatives for alternatives in terms)
    assert len(terms) <= 40
