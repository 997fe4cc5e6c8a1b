"""E-mail addresses: a stricter profile on top of email-validator's strict mode.

Refused although some validators pass them: quoted local parts, IP literals, single-label domains, local parts over 64
octets (RFC 5321 §4.5.3.1.1), broken A-labels, several addresses in one value. The local part keeps its case (RFC 5321
§2.4) and its plus-tag; the domain becomes lower-case A-labels (UTS 46). Letters beyond ASCII in the local part need
SMTPUTF8 on every hop, so they are refused rather than accepted and never delivered.
"""

import re
import unicodedata

import idna
from email_validator import EmailNotValidError, EmailSyntaxError, validate_email

from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.normalise.text import tidy

# The ordinary address, decided without the validator (which takes 30 µs): atoms of letters, digits and + - _ = between
# single dots; labels of letters, digits and inner hyphens, no "xn--"; a top-level domain of letters.
_PLAIN = re.compile(
    r"(?=[^@]{1,64}@)[A-Za-z0-9_+=-]+(?:\.[A-Za-z0-9_+=-]+)*"
    r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63})"
)
# Never deliverable from here; .test, .example and .invalid stay usable for trying the product out (RFC 2606).
_LOCAL_DOMAINS = ("local", "localhost", "localdomain", "internal", "intranet", "lan", "home", "onion", "arpa")


def email(text: str) -> str:
    """The address as it is stored and mailed. Raises NormaliseProblem (email_…).

    >>> email("用户@例子.中国")
    Traceback (most recent call last):
    hongyan.contacts.errors.NormaliseProblem: email_local_script
    >>> email("wang+news@Ｅxample.com"), email("info@例子.中国")
    ('wang+news@example.com', 'info@xn--fsqu00a.xn--fiqs8s')
    """
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        text = _bare(tidy(text))
        plain = _PLAIN.fullmatch(text)
    if plain and len(text) <= 254 and "--" not in plain[1]:
        local, _, host = text.rpartition("@")
        return f"{local}@{_public(host.lower())}"
    return _slow(text)


def domain(text: str) -> str:
    """A domain name as lower-case A-labels. Raises NormaliseProblem("email_domain").

    >>> domain("例子.测试")
    'xn--fsqu00a.xn--0zwm56d'
    """
    host = unicodedata.normalize("NFKC", tidy(text)).removeprefix("@").rstrip(".")
    try:
        name = idna.encode(host, uts46=True, transitional=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise NormaliseProblem("email_domain") from error
    if "." not in name or len(name) > 253 or name.rsplit(".", 1)[1].isdigit():
        raise NormaliseProblem("email_domain")
    return _public(name)


def _bare(text: str) -> str:
    """Without ``mailto:`` and angle brackets, as people copy them."""
    if text[:7].lower() == "mailto:":
        text = text[7:]
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    return text.strip()


def _slow(text: str) -> str:
    text = text.replace("＠", "@")
    _refuse_shapes(text)
    local, _, host = text.rpartition("@")
    local = local if local.isascii() else unicodedata.normalize("NFKC", local)
    if not local.isascii():
        raise NormaliseProblem("email_local_script")
    if len(local) > 64:
        raise NormaliseProblem("email_local_length")
    address = f"{local}@{domain(host)}"
    try:
        found = validate_email(address, check_deliverability=False, strict=True, test_environment=True)
    except EmailSyntaxError as error:
        raise NormaliseProblem("email_form") from error
    except EmailNotValidError as error:
        raise NormaliseProblem("email_domain") from error
    return f"{found.ascii_local_part or local}@{found.ascii_domain}"


def _refuse_shapes(text: str) -> None:
    if text.count("@") > 1 and ("," in text or ";" in text):
        raise NormaliseProblem("email_several")
    if '"' in text:
        raise NormaliseProblem("email_quoted")
    if "@[" in text:
        raise NormaliseProblem("email_literal")
    if text.count("@") != 1 or " " in text or len(text) > 320:
        raise NormaliseProblem("email_form")


def _public(host: str) -> str:
    if host.rsplit(".", 1)[-1] in _LOCAL_DOMAINS:
        raise NormaliseProblem("email_domain")
    return host
