"""Search without plain text: each contact carries keyed 64-bit tokens of the words that may find it.

What finds a contact: the full e-mail address, the beginning of its local part (3, 4, 5 and 6 letters; shorter ones in
full), the domain; words of a Western name and their prefixes; a Chinese name, its beginnings, the given name, the
pinyin of all three and its initials; the last 4, 6 and 8 digits of a phone number; words of the company; the external
id. A query is cut into terms, each term must match one token. A longer number or local part is asked by its longest
indexed part: of a million people one in a hundred numbers finds a second person, and a token that only one person has
is what costs most in the index.

Who may not see identities asks by whole values only (``whole``): with beginnings and endings, a masked address or
number could be found out letter by letter. Names are found as ever; a list of people is of no use otherwise.

Words of names are cached by the name and tokens of what repeats by the word, so a contact costs about six HMACs.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from hongyan.contacts.normalise.chinese import pinyin, surname_pinyin
from hongyan.contacts.normalise.names import COMPOUND_SURNAMES, HAN
from hongyan.core.crypto.blind import BlindIndexer

MAX_TOKENS = 28
_PREFIXES = (2, 3, 4, 6)
_LOCAL_PREFIXES = (3, 4, 5, 6)
_PHONE_TAILS = (4, 6, 8)
_HAN_RUN = re.compile(f"[{HAN}]+")
_PLAIN_HAN = re.compile("[\u4e00-\u9fff]+")  # no compatibility forms, accents or case among these
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*", re.UNICODE)
_DIGITS = re.compile(r"\+?[\d\s\-().]{4,}")
_MAX_TERMS = 8


def search_tokens(identity: Mapping[str, Any], blind: BlindIndexer) -> list[int]:
    """At most ``MAX_TOKENS`` tokens, and one for each sensitive custom field. identity: as ``types.Identity``, by name;
    a plain mapping, so that processes without a database can prepare rows."""
    return [int.from_bytes(token, "big", signed=True) for token in search_token_bytes(identity, blind)]


def search_token_bytes(identity: Mapping[str, Any], blind: BlindIndexer) -> list[bytes]:
    """As ``search_tokens``, each in the 8 bytes of PostgreSQL's binary format. The most telling come first."""
    get = identity.get
    found: list[bytes] = []
    if email := get("email"):
        found = _email_tokens(email, blind)
    if phone := get("phone"):
        found += _phone_tokens(phone, blind)
    if external_id := get("external_id"):
        found.append(blind.token_bytes("x:" + fold(external_id)))
    full = get("full_name") or f"{get('given_name') or ''} {get('family_name') or ''}"
    found += _name_tokens(full, get("family_name") or "", blind)
    if company := get("company"):
        found += _company_tokens(company, blind)
    found = list(dict.fromkeys(found))[:MAX_TOKENS]
    if extra := get("extra"):
        found += [blind.token_bytes(_sensitive_word(key, value)) for key, value in extra.items() if value]
    return found


def _email_tokens(address: str, blind: BlindIndexer) -> list[bytes]:
    address = fold(address)
    local, _, host = address.rpartition("@")
    token = blind.token_bytes
    return [
        token("e:" + address),
        *([token("f:" + local)] if len(local) < _LOCAL_PREFIXES[0] else ()),
        _common_token(blind, "d:" + host),
        *(
            _common_token(blind, "l:" + local[:length]) if length < 5 else token("l:" + local[:length])
            for length in _LOCAL_PREFIXES
            if length <= len(local)
        ),
    ]


def _phone_tokens(e164: str, blind: BlindIndexer) -> list[bytes]:
    digits = e164.removeprefix("+")
    token = blind.token_bytes
    return [
        _common_token(blind, "t:" + digits[-length:]) if length < 5 else token("t:" + digits[-length:])
        for length in _PHONE_TAILS
    ]


@lru_cache(maxsize=8192)  # an entry is about 1 kB
def _name_tokens(full: str, family: str, blind: BlindIndexer) -> tuple[bytes, ...]:
    """Cached: the same names come again and again in a large file."""
    return tuple(_common_token(blind, word) for word in _name_words(full, family))


@lru_cache(maxsize=8192)
def _company_tokens(company: str, blind: BlindIndexer) -> tuple[bytes, ...]:
    return tuple(_common_token(blind, word) for word in _company_words(company))


@lru_cache(maxsize=1 << 17)
def _common_token(blind: BlindIndexer, word: str) -> bytes:
    """Parts of names, domains and short prefixes repeat; a look-up costs a fraction of an HMAC."""
    return blind.token_bytes(word)


def sensitive_token(key: str, value: str, blind: BlindIndexer) -> int:
    """The token by which a sensitive custom field is found by its exact value."""
    return blind.token(_sensitive_word(key, value))


def _sensitive_word(key: str, value: str) -> str:
    return f"f:{key}\x00{value}"


def query_tokens(text: str, blind: BlindIndexer, *, whole: bool = False) -> list[list[int]]:
    """One list a term: a contact matches when it has at least one token of every term. [] when nothing can be asked.
    whole: no parts of e-mail addresses, and of phone numbers no fewer than eight digits."""
    terms = query_words(text)
    if whole:
        terms = [[word for word in words if _is_whole(word)] for words in terms]
        if not all(terms):
            return []
    return [[blind.token(word) for word in words] for words in terms]


def _is_whole(word: str) -> bool:
    kind, _, value = word.partition(":")
    return kind not in {"l", "f"} and (kind != "t" or len(value) >= _PHONE_TAILS[-1])


def query_words(text: str) -> list[list[str]]:
    """The alternatives of each term of a query, as plain words."""
    text = fold(text)[:200]
    if not text:
        return []
    if _DIGITS.fullmatch(text) and sum(mark.isdigit() for mark in text) >= 4:
        digits = "".join(mark for mark in text if mark.isdigit())
        # Local parts of digits are many (QQ numbers); 11 of them are a mobile number, and its beginning is everybody's.
        local = ["l:" + _prefix(text, _LOCAL_PREFIXES)] if text.isdigit() and len(text) < 11 else []
        return [[*_phone_query(digits), "x:" + text.replace(" ", ""), *local]]
    terms: list[list[str]] = []
    for term in text.split()[:_MAX_TERMS]:
        terms.extend(_term(term))
    return terms


def _term(term: str) -> Iterator[list[str]]:
    if term.startswith("@") and len(term) > 3:
        yield ["d:" + term[1:]]
    elif "@" in term:
        local, _, host = term.partition("@")
        yield ["e:" + term] if "." in host else _prefixed("l", local, _LOCAL_PREFIXES)
    elif _HAN_RUN.search(term):
        yield from ([word] for word in _han_query(term))
    elif len(term) == 1:
        yield ["n:" + term, "x:" + term]
    else:
        yield [
            *dict.fromkeys(
                [
                    "n:" + term,
                    "p:" + _prefix(term, _PREFIXES),
                    "l:" + _prefix(term, _LOCAL_PREFIXES),
                    "f:" + term,
                    "d:" + term,
                    "x:" + term,
                ]
            )
        ]


def _han_query(term: str) -> Iterator[str]:
    """王小 → beginning of a name; otherwise each run is a beginning, a given name or a company word."""
    for run in _HAN_RUN.findall(term):
        yield f"h:{run[:4]}"


def _prefixed(kind: str, text: str, lengths: tuple[int, ...]) -> list[str]:
    return [f"f:{text}", f"{kind}:{_prefix(text, lengths)}"]


def _prefix(text: str, lengths: tuple[int, ...]) -> str:
    """The longest prefix that is indexed and not longer than the text: an over-long term finds a little too much."""
    best = max((length for length in lengths if length <= len(text)), default=len(text))
    return text[:best]


def _phone_query(digits: str) -> list[str]:
    """By the last digits, the longest tail that is indexed: so a country code may be there or not."""
    return [f"t:{digits[-max(tail for tail in _PHONE_TAILS if tail <= len(digits)) :]}"]


def _name_words(full: str, family: str) -> list[str]:
    words: list[str] = []
    folded = fold(full)
    runs = _HAN_RUN.findall(folded)
    for run in runs:
        words += _han_words(run, family)
    if runs != [folded]:
        for word in _WORD.findall(_HAN_RUN.sub(" ", folded)):
            words += _latin_words(word)
    return words


def _han_words(run: str, family: str) -> list[str]:
    surname = _surname(run, family)
    given = run[len(surname) :]
    first, second = surname_pinyin(surname), pinyin(given)
    family_sound, given_sound = "".join(first), "".join(second)
    whole = family_sound + given_sound
    words = ["h:" + run[:4], *["h:" + run[:length] for length in range(1, min(len(run), 4))]]
    if given and surname:
        words.append("h:" + given[:4])
    words += ["n:" + whole, "n:" + "".join([syllable[0] for syllable in first + second])]
    words += ["p:" + whole[:length] for length in _PREFIXES if length < len(whole)]
    if surname and given_sound:
        words += ["n:" + family_sound, "n:" + given_sound]
    return words


def _latin_words(word: str) -> list[str]:
    return ["n:" + word, *["p:" + word[:length] for length in _PREFIXES if length <= len(word)]]


def _company_words(company: str) -> list[str]:
    folded = fold(company)
    words = ["h:" + run[:length] for run in _HAN_RUN.findall(folded) for length in (2, 3, 4) if length <= len(run)]
    return words + ["n:" + word for word in _WORD.findall(_HAN_RUN.sub(" ", folded))[:3]]


def _surname(run: str, family: str) -> str:
    if family and run.startswith(family) and len(run) > len(family):
        return family
    if run[:2] in COMPOUND_SURNAMES and len(run) > 2:
        return run[:2]
    return run[0] if 1 < len(run) <= 4 else ""


def fold(text: str) -> str:
    """NFKC, case folded, accents off Latin letters, ü as v (as it is typed)."""
    if text.isascii():
        return " ".join(text.lower().split())
    if _PLAIN_HAN.fullmatch(text):
        return text
    text = unicodedata.normalize("NFKC", text).casefold().replace("ü", "v")
    text = "".join(mark for mark in unicodedata.normalize("NFD", text) if not unicodedata.combining(mark))
    return " ".join(unicodedata.normalize("NFC", text).split())
