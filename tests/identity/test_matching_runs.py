"""From files to people and back: import, run, explain, export, review, online."""

import csv
import json
import time
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from typer.testing import CliRunner

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.types import contact_actor, system_actor
from hongyan.config.cli import app
from hongyan.contacts.errors import ContactNotFound
from hongyan.contacts.models import Contact
from hongyan.contacts.sealing import open_record
from hongyan.contacts.services import contact_create, contact_update
from hongyan.contacts.types import ContactValues
from hongyan.core.clock import now
from hongyan.identity import lane as arriving_lane
from hongyan.identity import online
from hongyan.identity.arriving import resolve_one
from hongyan.identity.lane import Newcomers
from hongyan.identity.matching.record import Record
from hongyan.identity.models import Candidate, Frequency, Model, Profile, Run, SourceRecord
from hongyan.identity.models_merging import Merge
from hongyan.identity.people import some
from hongyan.identity.runs import run_full, run_incremental
from hongyan.identity.truth import TrueRecord, generated
from hongyan.identity.words import held_back
from hongyan.jobs.errors import JobCancelled

ACTOR = system_actor("test")
pytestmark = pytest.mark.django_db

HEADER = (
    "rec_id",
    "full_name",
    "surname",
    "given_name",
    "phone",
    "email",
    "address_1",
    "suburb",
    "state",
    "postcode",
    "date_of_birth",
)


def write(path: Path, rows: list[TrueRecord], start: int) -> None:
    """With a blank after each comma, as the Febrl files have it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(", ".join(HEADER) + "\n")
        for number, row in enumerate(rows, start):
            item = row.record
            cells = (
                f"rec-{row.person}-{number}", item.full_name, item.family_name, item.given_name, item.phone, item.email,
                item.street, item.city, item.region, item.postal_code, item.birth_date.replace("-", ""),
            )  # fmt: skip
            file.write(", ".join(cells) + "\n")


def call(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.django_db(transaction=True)
def test_two_files_become_people_and_anybody_can_score_it(tmp_path: Path) -> None:
    rows = generated(120)
    half = len(rows) // 2
    write(tmp_path / "a.csv", rows[:half], 0)
    write(tmp_path / "b.csv", rows[half:], half)
    for name in ("a.csv", "b.csv", "b.csv"):  # the second time brings nobody
        call("import", tmp_path / name, "--no-consent")
    before = Contact.objects.count()
    assert before > len(rows) * 0.9  # the same e-mail is the same person at once
    facts = json.loads(call("identity", "run", "--full", "--json"))
    assert facts["records"] == before
    assert facts["merged"] == Merge.objects.count() == before - Contact.objects.count()
    call("export", "contacts", "--clusters", tmp_path / "clusters.csv")
    with (tmp_path / "clusters.csv").open(encoding="utf-8") as file:
        lines = {line["row_id"]: line for line in csv.DictReader(file)}
    assert len(lines) == len(rows)
    assert {line["file"] for line in lines.values()} == {"a.csv", "b.csv"}
    people, found = defaultdict(list), defaultdict(list)
    for row_id, line in lines.items():
        people[row_id.split("-")[1]].append(row_id)
        found[line["contact_id"]].append(row_id)
    truth = {pair for group in people.values() for pair in combinations(sorted(group), 2)}
    said = {pair for group in found.values() for pair in combinations(sorted(group), 2)}
    assert 2 * len(truth & said) / (len(truth) + len(said)) > 0.85
    _explains(said & truth)
    _says_the_same_online()


def _explains(pairs: set[tuple[str, str]]) -> None:
    first, second = min(pairs)
    told = json.loads(call("identity", "explain", first, second, "--json"))
    assert told["comparisons"] or told["weight"] == 0.0  # joined by the same e-mail when it was imported
    assert "Together" in call("identity", "explain", first, second) or told["merged"]


def _says_the_same_online() -> None:
    """Open pairs of the run have online the score that Splink gave them."""
    model = online.current()
    checked = 0
    for pair in Candidate.objects.filter(verdict__in=("pending", "review")):
        both = Contact.objects.filter(pk__in=(pair.contact_low, pair.contact_high))
        if both.filter(updated_at__lt=pair.created_at).count() < 2:
            continue  # changed by a merge since
        found = {match.contact_id: match for match in online.candidates(pair.contact_low, model=model)}
        if pair.contact_high in found:
            assert found[pair.contact_high].score.weight == pytest.approx(pair.weight, abs=1e-6)
            checked += 1
    assert checked


def person(**values: str) -> Contact:
    return contact_create(actor=ACTOR, values=ContactValues(values), source="staff")


def crowd(size: int = 30) -> None:
    for row in generated(size, seed=3):
        item = row.record
        person(full_name=item.full_name or f"{item.given_name} {item.family_name}", city=item.city, birth_date="")


def test_before_any_run_a_new_record_is_resolved_with_the_shipped_weights() -> None:
    first = person(full_name="王小明", phone="13800138000", birth_date="1990-02-03", city="上海", street="建国路88号")
    online.write_profiles(list(some([first.pk]).values()))
    second = person(
        full_name="Wang Xiaoming", email="wxm@example.com", birth_date="1990-02-03", city="上海", street="建国路88号"
    )
    other = person(full_name="王晓敏", phone="13911112222", birth_date="1971-05-06", city="北京")
    assert [match.contact_id for match in online.candidates(second.pk)] == [first.pk]
    assert resolve_one(actor=ACTOR, contact_id=other.pk) == other.pk
    assert resolve_one(actor=ACTOR, contact_id=second.pk) == first.pk
    assert Merge.objects.get().evidence["probability"] > 0.95


def test_a_new_contact_meets_the_others_at_once_when_matching_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"birth_date": "1990-02-03", "city": "上海", "street": "建国路88号"}
    first = person(full_name="王小明", phone="13800138000", **known)
    online.write_profiles(list(some([first.pk]).values()))
    lane = Newcomers()
    lane.turn()
    person(full_name="Wang Xiaoming", **known)
    lane.turn()
    assert not Merge.objects.exists(), "nobody has had contacts compared yet"
    Run.objects.create(kind=Run.Kind.FULL, state=Run.State.FINISHED, until=now())
    monkeypatch.setattr(arriving_lane, "MOST", 1)
    twins = [person(full_name="Wang Xiaoming", **known) for _ in range(2)]
    lane.turn()
    assert not Merge.objects.exists(), "many at once are the run's"
    twins.append(person(full_name="Wang Xiaoming", **known))
    lane.turn()
    assert Merge.objects.get().loser_id == twins[-1].pk
    lane.turn()
    assert Merge.objects.count() == 1


def test_one_record_is_resolved_in_less_than_fifty_milliseconds() -> None:
    crowd()
    online.write_profiles(list(some(list(Contact.objects.values_list("pk", flat=True))).values()))
    twin = person(full_name="张伟", phone="13700000001", city="上海")
    model = online.current()
    online.candidates(twin.pk, model=model)
    began = time.process_time()
    for _ in range(5):
        online.candidates(twin.pk, model=model)
    assert (time.process_time() - began) / 5 < 0.05


def test_a_look_up_is_bounded_and_the_rarest_key_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many share a name and a city, whoever shares the telephone is found."""
    monkeypatch.setattr(online, "BLOCK", 5)
    monkeypatch.setattr(online, "LIMIT", 6)
    crowded = [person(full_name="王伟", city="上海").pk for _ in range(12)]
    friend = person(full_name="Wei Wang", phone="13700000009", birth_date="1980-05-06")
    new = person(full_name="王伟", city="上海", phone="13700000009", birth_date="1980-05-06")
    online.write_profiles(list(some([*crowded, friend.pk]).values()))
    mine = online.tokens(some([new.pk])[new.pk].features)
    shared = online._sharing(new.pk, mine)
    assert shared[0] == friend.pk
    assert len(shared) == 6
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'identity_profile_tokens'")
        assert cursor.fetchone() == (["fastupdate=off"],)


def test_explaining_by_row_opens_no_other_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hongyan.identity import explain_pair

    write(tmp_path / "a.csv", [TrueRecord(n, Record(full_name=f"王小{n}", city="上海")) for n in range(4)], 0)
    call("import", tmp_path / "a.csv", "--no-consent")
    opened: list[int] = []

    def opening(blob: bytes, *, owner_id: int) -> bytes:
        opened.append(owner_id)
        return open_record(blob, owner_id=owner_id)

    monkeypatch.setattr(explain_pair, "open_record", opening)
    explain = explain_pair.explain_pair
    assert explain(actor=ACTOR, first="rec-0-0", second="rec-1-1").merged is False
    assert opened == []
    SourceRecord.objects.update(named=None)  # as rows are that came before
    assert explain(actor=ACTOR, first="rec-0-0", second="rec-1-1").merged is False
    assert len(opened) == 4
    assert explain(actor=ACTOR, first="rec-2-2", second="rec-3-3").merged is False
    assert len(opened) == 4
    with pytest.raises(ContactNotFound):
        explain(actor=ACTOR, first="rec-2-2", second="rec-9-9")


def test_an_incremental_run_sees_what_changed_and_only_that() -> None:
    first = person(full_name="陈丽华", phone="13800138001", birth_date="1988-08-08", city="广州", street="中山路1号")
    run = run_full(actor=ACTOR)
    assert (run.state, run.kind) == (Run.State.FINISHED, Run.Kind.FULL)
    Run.objects.update(until=Contact.objects.get().updated_at)
    person(full_name="陳麗華", email="clh@example.com", birth_date="1988-08-08", city="廣州", street="中山路1號")
    second = run_incremental(actor=ACTOR)
    assert (second.kind, second.counts["records"], second.counts["merged"]) == (Run.Kind.INCREMENTAL, 1, 1)
    assert Contact.objects.get().pk == first.pk
    assert second.model_id == run.model_id


def test_new_records_are_merged_in_batches_each_as_if_those_before_it_had_been_already() -> None:
    """Three of one person, two of another, and a couple, about whom a person is asked once."""
    first = person(full_name="陈丽华", phone="13800138001", birth_date="1988-08-08", city="广州", street="中山路1号")
    run_full(actor=ACTOR)
    Run.objects.update(until=Contact.objects.get().updated_at)
    hua = {"birth_date": "1988-08-08", "city": "廣州", "street": "中山路1號"}
    person(full_name="陳麗華", email="clh@example.com", **hua)
    person(full_name="Chen Lihua", phone="13800138001", **hua)
    jie = {"birth_date": "1979-01-18", "city": "南京", "street": "和平路5号", "phone": "13900001111"}
    other = person(full_name="周杰", **jie)
    person(full_name="Zhou Jie", email="zj@example.com", **jie)
    home = {"city": "Leeds", "street": "8 High Street", "postal_code": "LS1 1AA", "country": "GB"}
    thomas = person(full_name="Thomas Greenwood", birth_date="1960-01-02", email="t.greenwood@example.com", **home)
    margaret = person(full_name="Margaret Greenwood", birth_date="1962-03-04", **home)
    run = run_incremental(actor=ACTOR)
    assert (run.counts["records"], run.counts["merged"]) == (6, 3)
    assert set(Contact.objects.values_list("pk", flat=True)) == {first.pk, other.pk, thomas.pk, margaret.pk}
    assert Merge.objects.filter(survivor_id=first.pk).count() == 2
    asked = Candidate.objects.get(contact_low=thomas.pk, contact_high=margaret.pk)
    assert asked.reason == "household"


def test_resolving_one_record_takes_few_statements() -> None:
    """Each is a way to the database and back: seventy were most of the time that a merge took."""
    known = {"birth_date": "1990-02-03", "city": "上海", "street": "建国路88号"}
    first = person(full_name="王小明", phone="13800138000", **known)
    online.write_profiles(list(some([first.pk]).values()))
    second, other = person(full_name="Wang Xiaoming", **known), person(full_name="李雷", city="北京")
    with CaptureQueriesContext(connection) as asked:
        assert resolve_one(actor=ACTOR, contact_id=other.pk) == other.pk
    assert len(asked) <= 8
    with CaptureQueriesContext(connection) as asked:
        assert resolve_one(actor=ACTOR, contact_id=second.pk) == first.pk
    assert len(asked) <= 30


def test_whom_a_person_called_two_people_is_never_merged_or_asked_about_again() -> None:
    first = person(full_name="赵敏", birth_date="1990-01-01", city="北京", street="和平路5号", phone="13800138002")
    second = person(full_name="赵敏", birth_date="1990-01-01", city="北京", street="和平路5号")
    Candidate.objects.create(
        contact_low=first.pk, contact_high=second.pk, probability=1, weight=20, verdict=Candidate.Verdict.APART
    )
    run = run_full(actor=ACTOR)
    assert run.counts["merged"] == 0
    assert Candidate.objects.get().verdict == Candidate.Verdict.APART
    assert resolve_one(actor=ACTOR, contact_id=second.pk) == second.pk


def test_husband_and_wife_wait_for_a_person() -> None:
    home = {"city": "Leeds", "street": "8 High Street", "postal_code": "LS1 1AA", "phone": "", "country": "GB"}
    person(full_name="Thomas Greenwood", birth_date="1960-01-02", email="t.greenwood@example.com", **home)
    person(full_name="Margaret Greenwood", birth_date="1962-03-04", **home)
    run = run_full(actor=ACTOR)
    assert run.counts["merged"] == 0
    assert Contact.objects.count() == 2
    held = Candidate.objects.get()
    assert (held.verdict, held.reason) == (Candidate.Verdict.REVIEW, "household")
    assert "Greenwood" not in json.dumps(held.evidence)


def twins_of_one_shop(**more: str) -> tuple[Contact, Contact]:
    """One person as it seems, but the shop has given two customer numbers."""
    known = {"full_name": "孙悦", "birth_date": "1992-03-04", **more}
    return (
        contact_create(actor=ACTOR, values=ContactValues({**known, "external_id": "C1"}), source="shop"),
        contact_create(actor=ACTOR, values=ContactValues({**known, "external_id": "C2"}), source="shop"),
    )


def test_two_customer_numbers_of_one_source_wait_for_a_person() -> None:
    first, second = twins_of_one_shop()
    run = run_full(actor=ACTOR)
    assert run.counts["merged"] == 0
    held = Candidate.objects.get()
    assert (held.verdict, held.reason) == (Candidate.Verdict.REVIEW, "customer_number")
    assert resolve_one(actor=ACTOR, contact_id=second.pk) == second.pk
    assert run_incremental(actor=ACTOR).counts["merged"] == 0
    for language, words in (("en", "different customer numbers"), ("zh-hans", "不同的客户编号")):
        with translation.override(language):
            assert words in held_back(held.reason)
    assert "customer numbers" in call("identity", "explain", first.public_id, second.public_id).replace("\n", "")
    told = json.loads(call("identity", "explain", first.public_id, second.public_id, "--json"))
    assert (told["held_back"], told["probability"] > told["merge_from"]) == ("customer_number", True)


def test_who_registered_twice_is_one_customer_when_nothing_is_left_in_doubt() -> None:
    twins_of_one_shop(city="杭州", street="文三路9号", phone="13800138009")
    assert run_full(actor=ACTOR).counts["merged"] == 1


def test_numbers_of_two_sources_go_together_and_are_remembered_after_it() -> None:
    first, other = twins_of_one_shop()
    with_till = {"full_name": "孙悦", "birth_date": "1992-03-04", "external_id": "T7"}
    till = contact_create(actor=ACTOR, values=ContactValues(with_till), source="till")
    online.write_profiles(list(some([first.pk, other.pk]).values()))
    assert resolve_one(actor=ACTOR, contact_id=till.pk) == first.pk
    assert set(some([first.pk])[first.pk].features.numbers) == {"shop\x1fC1", "till\x1fT7"}
    assert resolve_one(actor=ACTOR, contact_id=other.pk) == other.pk


def test_a_cancelled_run_is_recorded_and_leaves_the_contacts_alone() -> None:
    person(full_name="李雷")

    def stop(done: int, total: int | None, step: str) -> None:
        del done, total
        if step == "blocking":
            raise JobCancelled

    with pytest.raises(JobCancelled):
        run_full(actor=ACTOR, progress=stop)
    assert Run.objects.get().state == Run.State.CANCELLED
    assert not Model.objects.exists()


def test_only_who_may_merge_may_run() -> None:
    with pytest.raises(PermissionRefused):
        run_full(actor=contact_actor())
    with pytest.raises(PermissionRefused):
        resolve_one(actor=contact_actor(), contact_id=1)


def test_profiles_follow_their_contacts_and_name_nobody() -> None:
    contact = person(full_name="周杰", city="南京", birth_date="1979-01-18")
    online.candidates(contact.pk)
    before = Profile.objects.get(pk=contact.pk).tokens
    contact_update(actor=ACTOR, contact_id=contact.pk, changes=ContactValues({"city": "苏州"}), source="staff")
    online.candidates(contact.pk)
    after = Profile.objects.get(pk=contact.pk).tokens
    assert before != after
    assert len(set(before) & set(after)) >= 2


def test_each_full_run_keeps_its_model_and_only_the_newest_frequencies() -> None:
    for place, given in enumerate("伟芳娜敏静强磊军勇杰"):
        person(full_name=f"王{given}", city="上海", birth_date=f"19{60 + 3 * place}-0{1 + place % 9}-1{place % 10}")
    first = run_full(actor=ACTOR)
    shares = Frequency.objects.count()
    second = run_full(actor=ACTOR)
    assert (first.model.version, second.model.version) == (1, 2)  # type: ignore[union-attr]
    assert Frequency.objects.count() == shares > 0


def test_rows_that_were_imported_are_forgotten_with_their_person(tmp_path: Path) -> None:
    from hongyan.identity import privacy

    write(tmp_path / "a.csv", [TrueRecord(1, Record(full_name="王小明", city="上海"))], 0)
    call("import", tmp_path / "a.csv", "--no-consent")
    contact = Contact.objects.get()
    assert SourceRecord.objects.get().contact_id == contact.pk
    assert b"rec-1" not in bytes(SourceRecord.objects.get().sealed)
    assert privacy.erase(contact_id=contact.pk) >= 1
    assert not SourceRecord.objects.exists()
