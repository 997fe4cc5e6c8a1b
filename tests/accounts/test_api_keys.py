from datetime import timedelta
from uuid import uuid4

import pytest

from hongyan.accounts import services
from hongyan.accounts.api_keys import api_key_create, api_key_revoke, api_keys, authenticate
from hongyan.accounts.errors import BadValue, NotFound, PermissionRefused
from hongyan.accounts.models import ApiKey
from hongyan.accounts.permissions import Permission, Role
from hongyan.audit.models import AuditEntry
from hongyan.core.clock import freeze, now
from tests.accounts.factory import Person, person

P = Permission
pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Person:
    return person("ada")


def test_a_key_may_what_its_scopes_say(ada: Person) -> None:
    new = api_key_create(actor=ada.actor, name="Shop", scopes=[P.CONTACT_VIEW, P.CONTACT_EDIT])
    actor = authenticate(new.secret, ip="203.0.113.5")
    assert actor is not None
    assert (actor.kind, actor.id, actor.ip) == ("api_key", new.row.pk, "203.0.113.5")
    assert actor.permissions == {P.CONTACT_VIEW, P.CONTACT_EDIT}
    row = ApiKey.objects.get()
    assert row.last_used_at is not None
    secret = new.secret.split("_", 2)[2].encode()
    assert secret not in bytes(row.secret_hash)
    assert AuditEntry.objects.get(action="api_key.created").data == {"scopes": ["contact.edit", "contact.view"]}


def test_wrong_keys_are_nobody(ada: Person) -> None:
    new = api_key_create(actor=ada.actor, name="Shop", scopes=[P.CONTACT_VIEW])
    for wrong in (
        "",
        "x",
        new.secret[:-1],
        new.secret + "x",
        new.secret[:-1] + ("A" if new.secret[-1] != "A" else "B"),
        new.secret.replace(new.row.prefix, "0123456789"),
        "hy_" + "é" * 10 + "_" + "x" * 43,
    ):
        assert authenticate(wrong) is None


def test_expired_revoked_and_orphaned_keys_are_nobody(ada: Person) -> None:
    mei = person("mei", Role.ADMINISTRATOR)
    expiring = api_key_create(actor=ada.actor, name="a", scopes=[P.CONTACT_VIEW], expires_at=now() + timedelta(days=1))
    with freeze(now() + timedelta(days=2)):
        assert authenticate(expiring.secret) is None
    assert authenticate(expiring.secret) is not None
    api_key_revoke(actor=ada.actor, key_id=expiring.row.public_id)
    api_key_revoke(actor=ada.actor, key_id=expiring.row.public_id)
    assert authenticate(expiring.secret) is None
    assert AuditEntry.objects.filter(action="api_key.revoked").count() == 1
    hers = api_key_create(actor=mei.actor, name="b", scopes=[P.CONTACT_VIEW, P.CONTENT_EDIT])
    services.user_change(actor=ada.actor, user=mei.user, name="Mei", roles=[Role.ANALYST])
    demoted = authenticate(hers.secret)
    assert demoted is not None
    assert demoted.permissions == {P.CONTACT_VIEW}  # never more than its maker may now
    services.user_deactivate(actor=ada.actor, user=mei.user)
    assert authenticate(hers.secret) is None


def test_some_acts_stay_with_people(ada: Person) -> None:
    for scopes in ([P.USERS_EDIT], [P.CAMPAIGN_APPROVE], []):
        with pytest.raises(BadValue, match="scopes"):
            api_key_create(actor=ada.actor, name="x", scopes=scopes)
    with pytest.raises(BadValue, match="name"):
        api_key_create(actor=ada.actor, name=" ", scopes=[P.CONTACT_VIEW])
    with pytest.raises(BadValue, match="expires_at"):
        api_key_create(actor=ada.actor, name="x", scopes=[P.CONTACT_VIEW], expires_at=now())


def test_only_administrators_handle_keys(ada: Person) -> None:
    mei = person("mei")
    new = api_key_create(actor=ada.actor, name="Shop", scopes=[P.CONTACT_VIEW])
    for attempt in (
        lambda: api_key_create(actor=mei.actor, name="x", scopes=[P.CONTACT_VIEW]),
        lambda: api_key_revoke(actor=mei.actor, key_id=new.row.public_id),
        lambda: api_keys(actor=mei.actor),
    ):
        with pytest.raises(PermissionRefused):
            attempt()
    with pytest.raises(NotFound):
        api_key_revoke(actor=ada.actor, key_id=uuid4())
    assert [row.pk for row in api_keys(actor=ada.actor)] == [new.row.pk]
