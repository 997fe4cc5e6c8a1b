import threading
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client

from hongyan.accounts import saved_views, selectors, services
from hongyan.accounts.errors import BadValue, EmailTaken, LastAdministrator, LinkRefused, NotFound, PermissionRefused
from hongyan.accounts.links import one_time_link_create, one_time_link_peek, one_time_link_use
from hongyan.accounts.models import OneTimeLink, RoleGrant, User
from hongyan.accounts.organisation import organisation, organisation_change
from hongyan.accounts.permissions import ROLE_PERMISSIONS, Permission, Role
from hongyan.accounts.tasks import accounts_sweep
from hongyan.accounts.types import system_actor
from hongyan.audit.models import AuditEntry
from hongyan.core.clock import freeze, now
from tests.accounts.factory import ROLES, Person, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Person:
    return person("ada")


def token_of(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def test_who_may_do_what() -> None:
    """The matrix of roles, written out once more by hand for what matters most."""
    may = {role: {p for p in Permission if p in granted} for role, granted in ROLE_PERMISSIONS.items()}
    assert may[Role.ADMINISTRATOR] == set(Permission)
    for role in set(Role) - {Role.ADMINISTRATOR}:
        assert not may[role] & {Permission.USERS_EDIT, Permission.SETTINGS_EDIT}
    sees_names = {role for role in Role if Permission.CONTACT_IDENTITY in may[role]}
    assert sees_names == {Role.ADMINISTRATOR, Role.SALES, Role.SUPPORT, Role.PRIVACY_OFFICER}
    assert {role for role in Role if Permission.CAMPAIGN_APPROVE in may[role]} == {Role.ADMINISTRATOR, Role.APPROVER}
    assert {role for role in Role if Permission.AUDIT_VIEW in may[role]} == {Role.ADMINISTRATOR, Role.PRIVACY_OFFICER}
    assert {role for role in Role if Permission.CONTACT_ERASE in may[role]} == {
        Role.ADMINISTRATOR,
        Role.PRIVACY_OFFICER,
    }


@pytest.mark.parametrize("name", sorted(set(ROLES) - {"ada", "tom", "rosa"}))
def test_only_administrators_manage_users(name: str, ada: Person) -> None:
    someone = person(name)
    for attempt in (
        lambda: services.user_invite(actor=someone.actor, email="x@y.example", name="", roles=[Role.ANALYST]),
        lambda: services.user_change(actor=someone.actor, user=ada.user, name="", roles=[Role.ANALYST]),
        lambda: services.user_deactivate(actor=someone.actor, user=ada.user),
        lambda: services.user_reactivate(actor=someone.actor, user=ada.user),
        lambda: services.user_link_renew(actor=someone.actor, user=ada.user),
        lambda: selectors.users(actor=someone.actor),
        lambda: selectors.user_by_public_id(actor=someone.actor, public_id=ada.user.public_id),
    ):
        with pytest.raises(PermissionRefused):
            attempt()


def test_invitation_makes_a_user_and_a_link(ada: Person) -> None:
    user, path = services.user_invite(
        actor=ada.actor, email=" Li.Na@Staff.example ", name="李娜", roles=[Role.SALES], language="zh-hans"
    )
    assert (user.email, user.name, user.language) == ("li.na@staff.example", "李娜", "zh-hans")
    assert user.roles == frozenset({Role.SALES})
    assert not user.has_usable_password()
    assert one_time_link_peek(token=token_of(path)).user == user
    row = next(row for row in selectors.users(actor=ada.actor) if row.public_id == user.public_id)
    assert (row.state, row.roles, row.second_factor) == ("invited", (Role.SALES,), False)
    entry = AuditEntry.objects.get(action="user.invited")
    assert (entry.subject_id, entry.data) == (str(user.public_id), {"roles": ["sales"]})
    with freeze(now() + timedelta(days=8)):
        rows = {row.public_id: row.state for row in selectors.users(actor=ada.actor)}
        assert rows[user.public_id] == "expired"


@pytest.mark.parametrize(
    ("email", "roles", "language", "field"),
    [
        ("nonsense", [Role.SALES], "", "email"),
        ("a@b.example", [], "", "roles"),
        ("a@b.example", [Role.SALES], "xx", "language"),
    ],
)
def test_bad_invitations(ada: Person, email: str, roles: list[Role], language: str, field: str) -> None:
    with pytest.raises(BadValue, match=field):
        services.user_invite(actor=ada.actor, email=email, name="", roles=roles, language=language)


def test_an_address_is_taken_whatever_its_case(ada: Person) -> None:
    with pytest.raises(EmailTaken):
        services.user_invite(actor=ada.actor, email="ADA@staff.example", name="", roles=[Role.SALES])


def test_the_last_administrator_stays(ada: Person) -> None:
    with pytest.raises(LastAdministrator):
        services.user_change(actor=ada.actor, user=ada.user, name="Ada", roles=[Role.MARKETER])
    with pytest.raises(LastAdministrator):
        services.user_deactivate(actor=ada.actor, user=ada.user)
    second = person("mei", Role.ADMINISTRATOR)
    services.user_change(actor=ada.actor, user=ada.user, name="Ada", roles=[Role.MARKETER])
    ada.user.refresh_from_db()
    assert User.objects.get(pk=ada.user.pk).roles == {Role.MARKETER}
    with pytest.raises(LastAdministrator):
        services.user_deactivate(actor=second.actor, user=second.user)


def test_a_deactivated_administrator_does_not_count(ada: Person) -> None:
    second = person("mei", Role.ADMINISTRATOR)
    services.user_deactivate(actor=ada.actor, user=second.user)
    with pytest.raises(LastAdministrator):
        services.user_deactivate(actor=ada.actor, user=ada.user)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_remove_each_other_at_once() -> None:
    pair = [person("ada"), person("mei", Role.ADMINISTRATOR)]
    outcomes: list[str] = []
    together = threading.Barrier(2)

    def remove(actor: Person, other: Person) -> None:
        together.wait(10)
        try:
            services.user_change(actor=actor.actor, user=other.user, name="", roles=[Role.ANALYST])
            outcomes.append("done")
        except LastAdministrator:
            outcomes.append("refused")
        connection.close()

    threads = [threading.Thread(target=remove, args=(pair[n], pair[1 - n])) for n in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]
    assert RoleGrant.objects.filter(role=Role.ADMINISTRATOR).count() == 1


def test_roles_are_given_and_taken_with_author(ada: Person) -> None:
    mei = person("mei")
    services.user_change(actor=ada.actor, user=mei.user, name="Mei", roles=[Role.MARKETER, Role.APPROVER])
    assert RoleGrant.objects.get(user=mei.user, role=Role.APPROVER).granted_by == ada.user
    services.user_change(actor=ada.actor, user=mei.user, name="Mei", roles=[Role.APPROVER])
    entry = AuditEntry.objects.filter(action="user.roles_changed").latest("id")
    assert entry.data == {"given": [], "taken": ["marketer"]}
    with pytest.raises(BadValue):
        services.user_change(actor=ada.actor, user=mei.user, name="Mei", roles=[])


def test_deactivation_ends_sessions_and_permissions(ada: Person) -> None:
    mei = person("mei")
    client = Client()
    client.force_login(mei.user)
    UserSession.objects.create(user=mei.user, ip="203.0.113.9", session_key=client.session.session_key, user_agent="x")
    link = one_time_link_create(user=mei.user)
    services.user_deactivate(actor=ada.actor, user=mei.user)
    assert "_auth_user_id" not in client.session
    assert User.objects.get(pk=mei.user.pk).permissions == frozenset()
    with pytest.raises(LinkRefused):
        one_time_link_peek(token=token_of(link))
    services.user_reactivate(actor=ada.actor, user=mei.user)
    assert User.objects.get(pk=mei.user.pk).permissions == ROLE_PERMISSIONS[Role.MARKETER]


def test_profile_is_ones_own(ada: Person) -> None:
    mei = person("mei")
    services.profile_change(actor=mei.actor, user=mei.user, name="美", language="en", time_zone="Europe/Berlin")
    mei.user.refresh_from_db()
    assert (mei.user.name, mei.user.language, mei.user.time_zone) == ("美", "en", "Europe/Berlin")
    with pytest.raises(PermissionRefused):
        services.profile_change(actor=mei.actor, user=ada.user, name="x", language="", time_zone="")
    with pytest.raises(BadValue, match="time_zone"):
        services.profile_change(actor=mei.actor, user=mei.user, name="", language="", time_zone="Mars/Base")


def test_a_link_for_a_colleague_leaves_a_trace(ada: Person) -> None:
    """Whoever makes one can come in as that person."""
    colleague = person("lin")
    path = services.user_link_renew(actor=ada.actor, user=colleague.user)
    assert one_time_link_peek(token=token_of(path)).user == colleague.user
    entry = AuditEntry.objects.get(action="user.link_made")
    assert (entry.actor_id, entry.subject_id) == (ada.user.pk, str(colleague.user.public_id))


def test_a_link_works_once(ada: Person) -> None:
    token = token_of(one_time_link_create(user=ada.user))
    assert one_time_link_peek(token=token).user == ada.user
    assert one_time_link_peek(token=token).used_at is None  # looking does not use it up
    assert one_time_link_use(token=token).user == ada.user
    for again in (one_time_link_peek, one_time_link_use):
        with pytest.raises(LinkRefused):
            again(token=token)


@pytest.mark.django_db(transaction=True)
def test_a_link_pressed_twice_at_once_works_once() -> None:
    token = token_of(one_time_link_create(user=person("ada").user))
    outcomes: list[str] = []
    together = threading.Barrier(4)

    def press() -> None:
        together.wait(10)
        try:
            one_time_link_use(token=token)
            outcomes.append("in")
        except LinkRefused:
            outcomes.append("refused")
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "refused", "refused", "refused"]


def test_links_expire_are_replaced_and_cannot_be_altered(ada: Person) -> None:
    first = token_of(one_time_link_create(user=ada.user))
    second = token_of(one_time_link_create(user=ada.user))
    altered = second[:20] + ("A" if second[20] != "A" else "B") + second[21:]
    for token in (first, altered, "nonsense", ""):
        with pytest.raises(LinkRefused):
            one_time_link_use(token=token)
    with freeze(now() + timedelta(minutes=15, seconds=1)), pytest.raises(LinkRefused):
        one_time_link_use(token=second)
    assert b"".join(bytes(link.secret_hash) for link in OneTimeLink.objects.all()).hex() not in second
    with freeze(now() + timedelta(days=60)):
        accounts_sweep()
    assert OneTimeLink.objects.count() == 0


def test_saved_views_are_ones_own(ada: Person) -> None:
    mei = person("mei")
    view = saved_views.view_save(actor=mei.actor, page="contacts", name="上海", query="?city=上海&after=zzz&order=name")
    assert view.query == "city=%E4%B8%8A%E6%B5%B7&order=name"
    again = saved_views.view_save(actor=mei.actor, page="contacts", name="上海", query="city=x")
    assert (again.pk, again.query) == (view.pk, "city=x")
    assert [row.name for row in saved_views.views_of(actor=mei.actor, page="contacts")] == ["上海"]
    assert saved_views.views_of(actor=ada.actor, page="contacts") == []
    assert saved_views.views_of(actor=system_actor("x"), page="contacts") == []
    with pytest.raises(NotFound):
        saved_views.view_delete(actor=ada.actor, view_id=view.public_id)
    saved_views.view_delete(actor=mei.actor, view_id=view.public_id)
    assert saved_views.views_of(actor=mei.actor, page="contacts") == []
    with pytest.raises(BadValue):
        saved_views.view_save(actor=mei.actor, page="contacts", name=" ", query="")


def change_organisation(who: Person, **values: str) -> None:
    defaults = {
        "name": "雁行商贸",
        "postal_address": "上海市",
        "default_language": "zh-hans",
        "time_zone": "Asia/Shanghai",
        "second_factor": "remind",
    }
    organisation_change(actor=who.actor, **(defaults | values))


def test_organisation_and_second_factor_policy(ada: Person) -> None:
    assert organisation().second_factor == "remind"
    change_organisation(ada, second_factor="require")
    assert (organisation().name, organisation().second_factor) == ("雁行商贸", "require")
    mei = person("mei")
    assert selectors.second_factor_missing(actor=ada.actor) == "require"
    assert selectors.second_factor_missing(actor=mei.actor) == ""
    Authenticator.objects.create(user=ada.user, type="totp", data={})
    assert selectors.second_factor_missing(actor=ada.actor) == ""
    change_organisation(ada, second_factor="off")
    assert selectors.second_factor_missing(actor=person("dao").actor) == ""
    with pytest.raises(PermissionRefused):
        change_organisation(mei)
    for field, value in (("time_zone", "Mars/Base"), ("second_factor", "x"), ("default_language", "de")):
        with pytest.raises(BadValue, match=field):
            change_organisation(ada, **{field: value})
