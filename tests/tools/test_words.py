"""The check of the word catalogues finds what it is for, in sources of its own."""

from pathlib import Path

import polib
import pytest

from tools import words


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two areas, one inside the other, whose texts have their Chinese."""
    monkeypatch.setattr(words, "ROOT", tmp_path)
    room, area = tmp_path / "hongyan" / "room", tmp_path / "hongyan" / "room" / "area"
    (area / "templates").mkdir(parents=True)
    for home in (room, area):
        (home / "apps.py").write_text("")
    (room / "words.py").write_text("from django.utils.translation import gettext as _\nA = _('Send')\n")
    (area / "templates" / "page.html").write_text(
        '{% load i18n %}{% translate "Send" %}{% translate "Order" context "sorting" %}'
        "{% blocktranslate count n=n %}{{ n }} mail{% plural %}{{ n }} mails{% endblocktranslate %}"
    )
    catalogue(room, polib.POEntry(msgid="Send", msgstr="发送"))
    catalogue(
        area,
        polib.POEntry(msgid="Send", msgstr="发送"),
        polib.POEntry(msgid="Order", msgstr="顺序", msgctxt="sorting"),
        polib.POEntry(msgid="%(n)s mail", msgid_plural="%(n)s mails", msgstr_plural={0: "%(n)s 封邮件"}),
    )
    return tmp_path


def catalogue(home: Path, *entries: polib.POEntry) -> None:
    path = home / words.CATALOGUE
    path.parent.mkdir(parents=True, exist_ok=True)
    file = polib.POFile()
    file.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Plural-Forms": "nplurals=1; plural=0;"}
    file.extend(entries)
    file.save(str(path))


def test_a_complete_house(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert words.check() == 0, capsys.readouterr().out


def test_what_has_no_chinese_is_named_with_its_area(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = house / "hongyan" / "room" / "area" / "templates" / "page.html"
    page.write_text(page.read_text() + '{% translate "Send it" %}')  # near to another: no guess is taken for an answer
    assert words.check() == 1
    assert capsys.readouterr().out == "hongyan/room/area: no Chinese for 'Send it'\n"


def test_collecting_leaves_the_sources_of_an_inner_area_to_it(house: Path) -> None:
    words.collect(house)
    outer = polib.pofile(str(house / "hongyan" / "room" / words.CATALOGUE))
    assert [entry.msgid for entry in outer] == ["Send"]


def test_one_english_text_in_two_ways_is_refused(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalogue(house / "hongyan" / "room", polib.POEntry(msgid="Send", msgstr="寄出"))
    assert words.check() == 1
    told = capsys.readouterr().out
    assert told.startswith("'Send' is said in 2 ways: ")
    assert "'寄出' in hongyan/room" in told
    assert "'发送' in hongyan/room/area" in told


def test_another_sense_may_be_said_otherwise() -> None:
    here = polib.POEntry(msgid="Order", msgstr="订单")
    there = polib.POEntry(msgid="Order", msgstr="顺序", msgctxt="sorting")
    assert list(words.disagreeing({"a": [here], "b": [there]})) == []


def test_plurals_disagree_as_well() -> None:
    one, other = (
        polib.POEntry(msgid="%(n)s mail", msgid_plural="%(n)s mails", msgstr_plural={0: said})
        for said in ("%(n)s 封", "%(n)s 封邮件")
    )
    assert len(list(words.disagreeing({"a": [one], "b": [other]}))) == 1
