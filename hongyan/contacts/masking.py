"""What people see of an identity who may not see it in clear."""

from dataclasses import replace

from hongyan.contacts.types import Identity

STARS = "***"


def masked_identity(identity: Identity) -> Identity:
    """Enough to tell two people apart in a list, not enough to write or call.

    Notes, street, external id, birth date and sensitive fields disappear altogether; ``extra`` keeps its keys.
    """
    return replace(
        identity,
        given_name=masked_name(identity.given_name),
        family_name=masked_name(identity.family_name),
        full_name=masked_name(identity.full_name),
        email=masked_email(identity.email),
        phone=masked_phone(identity.phone),
        street=STARS if identity.street else "",
        postal_code=STARS if identity.postal_code else "",
        birth_date=STARS if identity.birth_date else "",
        notes=STARS if identity.notes else "",
        external_id=STARS if identity.external_id else "",
        extra={key: STARS for key, value in identity.extra.items() if value},
    )


def masked_name(name: str) -> str:
    """The first character of each word; the length is not given away beyond two stars.

    >>> masked_name("张小明"), masked_name("Ada Lovelace"), masked_name("")
    ('张**', 'A** L**', '')
    """
    return " ".join(word[0] + "**" for word in name.split()[:3])


def masked_email(address: str) -> str:
    """The first letter and the domain.

    >>> masked_email("wang@example.com"), masked_email("")
    ('w***@example.com', '')
    """
    local, at, host = address.rpartition("@")
    return f"{local[:1]}***@{host}" if at else ""


def masked_phone(phone: str) -> str:
    """The country prefix's beginning and the last two digits.

    >>> masked_phone("+8613800138000")
    '+86*********00'
    """
    return phone[:3] + "*" * max(len(phone) - 5, 3) + phone[-2:] if phone else ""
