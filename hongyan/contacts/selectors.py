"""Reading people: one by one behind one door, in pages, and identities for rendering."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.errors import ContactMerged, ContactNotFound
from hongyan.contacts.masking import masked_identity
from hongyan.contacts.merging import survivor_of
from hongyan.contacts.models import Contact
from hongyan.contacts.sealing import open_blob
from hongyan.contacts.types import Identity, Provenance
from hongyan.core.sql import any_of


def identities(contact_ids: Iterable[int]) -> dict[int, Identity]:
    """Opened identities by contact id; unknown and erased ids are missing.

    System use (rendering, exports): the caller has checked what its actor may see.
    """
    rows = Contact.objects.filter(pk__in=any_of(contact_ids)).values_list("pk", "sealed")
    return {pk: open_blob(blob, contact_id=pk) for pk, blob in rows}


def contact_by_public_id(*, actor: Actor, public_id: UUID | str, audit: bool = True) -> tuple[Contact, Identity]:
    """The one door to a single person: the row and what the actor may see of the identity (masked without
    CONTACT_IDENTITY). Seeing an identity in clear is recorded; ``audit`` False is for reads that show nothing of it.

    Raises ContactMerged for a record that was merged into another, ContactNotFound for what is no id, unknown or
    erased: those three cannot be told apart.
    """
    actor.require(Permission.CONTACT_VIEW)
    try:
        contact = Contact.objects.select_related("owner").get(public_id=UUID(str(public_id)))
    except ValueError as error:
        raise ContactNotFound from error
    except Contact.DoesNotExist as error:
        into = survivor_of(UUID(str(public_id)))
        raise (ContactMerged(into) if into else ContactNotFound()) from error
    identity = open_blob(contact.sealed, contact_id=contact.pk)
    if not actor.may(Permission.CONTACT_IDENTITY):
        return contact, masked_identity(identity)
    if audit:
        record(actor=actor, action="contact.viewed", subject_kind="contact", subject_id=str(contact.public_id))
    return contact, identity


def provenance_of(contact: Contact, field: str) -> Provenance | None:
    """Where a value came from; bulk writers may record one origin for all fields under ``*``."""
    entry = contact.provenance.get(field) or contact.provenance.get("*")
    if not entry:
        return None
    source, observed_at = entry[:2]  # a third part says that a person fixed the value
    return Provenance(source, datetime.fromisoformat(observed_at) if observed_at else None)
