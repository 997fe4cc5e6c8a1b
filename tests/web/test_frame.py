"""Rail, palette, words and icons."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines
from django.test import Client, RequestFactory

from hongyan.accounts.permissions import ROLE_PERMISSIONS, Permission, Role
from hongyan.accounts.types import Actor
from hongyan.web import build, nav, search
from hongyan.web.search import SearchHit
from hongyan.web.states import pill_of
from hongyan.web.words import permission_label, role_label
from tests.browser import staff


def actor_with(role: Role) -> Actor:
    return Actor(kind="user", id=1, label="x", permissions=ROLE_PERMISSIONS[role])


def test_every_permission_and_role_has_words() -> None:
    assert all(permission_label(permission) for permission in Permission)
    assert all(role_label(role) for role in Role)


def test_every_icon_named_in_a_template_exists() -> None:
    named = re.compile(r'{% (?:icon|empty) "([^"]+)"')
    missing = [
        f"{path.name}: {name}"
        for path in Path(settings.PACKAGE_DIR).rglob("templates/**/*.html")
        for name in named.findall(path.read_text(encoding="utf-8"))
        if not _icon_exists(name)
    ]
    assert missing == []


def test_every_room_and_state_icon_exists() -> None:
    assert all(_icon_exists(room.icon) for room in nav.ROOMS)
    for state in ("draft", "sending", "uncertain", "withdrawn", "expired", "freezing", "no such state"):
        assert _icon_exists(pill_of(state).icon)


def _icon_exists(name: str) -> bool:
    try:
        return bool(build.icon_body(name))
    except build.UnknownIcon:
        return False


def test_unbuilt_front_end_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    with pytest.raises(build.FrontendNotBuilt, match="npm ci && npm run build"):
        build.tags("main")


def test_unknown_entry_names_itself() -> None:
    with pytest.raises(build.FrontendNotBuilt, match="'nothing'"):
        build.tags("nothing")


def test_rail_shows_only_what_the_actor_may_enter() -> None:
    analyst = {item.room.name for item in nav.items(actor_with(Role.ANALYST), "")}
    assert "home" in analyst
    assert not analyst & {"campaigns", "mails", "catcher"}


def test_a_telephone_keeps_what_does_not_fit_behind_more() -> None:
    everything = nav.items(actor_with(Role.ADMINISTRATOR), "")
    assert [item.room.name for item in everything[: nav.PHONE_PLACES] + list(nav.more(everything))] == [
        item.room.name for item in everything
    ]
    assert not nav.more(everything[: nav.PHONE_PLACES + 1]), "one alone fits, and needs no menu"


def test_shortcut_letters_are_unique() -> None:
    keys = [room.key for room in nav.ROOMS]
    assert len(keys) == len(set(keys))


def test_providers_answer_in_order_and_within_their_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_providers", {})

    def hits(prefix: str) -> search.Provider:
        return lambda _actor, text, _limit: [SearchHit(f"{prefix}{text}{n}", "/", prefix) for n in range(9)]

    search.provider("late", order=90)(hits("late"))
    search.provider("early", order=10)(hits("early"))
    found = search.find_all(actor_with(Role.MARKETER), "x", limit=2)
    assert [hit.title for hit in found] == ["earlyx0", "earlyx1", "latex0", "latex1"]


@pytest.mark.django_db
def test_palette_is_posted_so_that_names_stay_out_of_logs() -> None:
    client = Client()
    client.force_login(staff(Role.MARKETER, language="en"))
    assert client.get("/search/", {"q": "王小明"}).status_code == 405
    hits = client.post("/search/", {"q": "home"}).json()["hits"]
    assert {key: hits[0][key] for key in ("title", "url")} == {"title": "Home", "url": "/"}


def render(source: str, query: str = "", **values: object) -> str:
    request = RequestFactory().get("/list/" + query)
    template = engines["django"].from_string("{% load hongyan %}" + source)
    return template.render(values, request)


def test_query_changes_one_parameter_and_starts_paging_anew() -> None:
    assert render('{% query city="上海" %}', "?q=a&after=zz") == "?q=a&amp;city=%E4%B8%8A%E6%B5%B7"
    assert render('{% query city="" %}', "?city=x") == "?"


def test_sort_header_turns_round() -> None:
    assert 'href="?order=-name"' in render('{% sort_header "name" "Name" %}', "?order=name")
    assert 'aria-sort="ascending"' in render('{% sort_header "name" "Name" %}', "?order=name")
    assert 'href="?order=name"' in render('{% sort_header "name" "Name" %}', "?after=x")


def test_search_box_keeps_the_other_filters_and_escapes() -> None:
    html = render('{% search_box "Find" %}', "?q=%22%3E%3Cb%3E&city=x&after=y")
    assert '<input type="hidden" name="city" value="x">' in html
    assert "after" not in html
    assert "<b>" not in html


def test_figure_shows_denominator_and_interval() -> None:
    html = render('{% figure "Clicked" 412 9860 of="delivered" href="/p/" %}')
    for words in ("412", "/ 9,860", "4.2%", "3.8%–4.6%", 'href="/p/"'):
        assert words in html


def test_unknown_permission_in_a_template_is_an_error() -> None:
    from hongyan.web.context import Can

    can = Can(actor_with(Role.ANALYST))
    assert can["report_view"] is True
    assert can["users_edit"] is False
    with pytest.raises(KeyError):
        can["no_such_thing"]
