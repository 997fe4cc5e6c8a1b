import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.core.crypto.blind import BlindIndexer
from hongyan.core.crypto.keyring import forget_keyring, keyring, new_seal_version, rewrap
from hongyan.core.crypto.master import MasterKeyProblem, parse
from hongyan.core.crypto.sealing import SealBroken, Sealer
from hongyan.core.crypto.tokens import TokenRefused, TokenSigner

KEYS = {1: os.urandom(32), 2: os.urandom(32)}
OWNERS = st.integers(min_value=-(2**62), max_value=2**62)


@given(plain=st.binary(max_size=2000), owner=OWNERS)
def test_sealed_blob_opens_for_its_owner(plain: bytes, owner: int) -> None:
    sealer = Sealer(kind=b"contact", keys=KEYS, current=2)
    assert sealer.open(sealer.seal(plain, owner_id=owner), owner_id=owner) == plain


@given(plain=st.binary(max_size=100), owner=OWNERS, other=OWNERS, position=st.integers(0, 10_000))
def test_any_change_breaks_the_seal(plain: bytes, owner: int, other: int, position: int) -> None:
    sealer = Sealer(kind=b"contact", keys=KEYS, current=1)
    blob = sealer.seal(plain, owner_id=owner)
    altered = bytearray(blob)
    altered[position % len(blob)] ^= 1
    with pytest.raises(SealBroken):
        sealer.open(bytes(altered), owner_id=owner)
    if other != owner:
        with pytest.raises(SealBroken):
            sealer.open(blob, owner_id=other)
    with pytest.raises(SealBroken):
        Sealer(kind=b"record", keys=KEYS, current=1).open(blob, owner_id=owner)


def test_old_versions_still_open_after_rotation() -> None:
    old = Sealer(kind=b"contact", keys={1: KEYS[1]}, current=1).seal(b"x", owner_id=5)
    assert Sealer(kind=b"contact", keys=KEYS, current=2).open(old, owner_id=5) == b"x"


@given(payload=st.binary(max_size=64), position=st.integers(0, 10_000))
def test_tokens_are_bound_to_purpose_and_bytes(payload: bytes, position: int) -> None:
    signer = TokenSigner(keys=KEYS, current=2)
    token = signer.sign("click", payload)
    assert signer.unsign("click", token) == payload
    with pytest.raises(TokenRefused):
        signer.unsign("unsubscribe", token)
    place = position % (len(token) - 1)  # the last character may hold unused bits
    altered = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    with pytest.raises(TokenRefused):
        signer.unsign("click", altered)


@given(st.text(max_size=700))
def test_no_text_is_mistaken_for_a_token(text: str) -> None:
    with pytest.raises(TokenRefused):
        TokenSigner(keys=KEYS, current=1).unsign("click", text)


def test_blind_index_separates_kinds_and_keys() -> None:
    one, two = BlindIndexer(KEYS[1]), BlindIndexer(KEYS[2])
    assert one.index("email", "a@b.example") == one.index("email", "a@b.example")
    assert len({one.index("email", "a"), one.index("phone", "a"), two.index("email", "a")}) == 3


def test_master_key_forms() -> None:
    assert parse("00" * 32) == bytes(32)
    for bad in ("", "zz", "00" * 16, "AAAA"):
        with pytest.raises(MasterKeyProblem):
            parse(bad)


@pytest.mark.django_db
def test_rotation_keeps_old_blobs_and_rewrap_needs_the_right_master() -> None:
    from hongyan.core.crypto.keyring import _master_key

    forget_keyring()
    before = keyring()
    blob = before.contacts.seal(b"secret", owner_id=1)
    version = new_seal_version()
    after = keyring()
    assert after.seal_version == version == before.seal_version + 1
    assert after.contacts.open(blob, owner_id=1) == b"secret"
    with pytest.raises(MasterKeyProblem):
        rewrap(old_master=bytes(32), new_master=bytes(32))
    assert rewrap(old_master=_master_key(), new_master=_master_key()) >= 4
    forget_keyring()
