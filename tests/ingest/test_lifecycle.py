"""Around a run: dry runs, pausing, cancelling, undoing, memory, memberships, old files."""

import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.import_data import write
from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import ROLE_PERMISSIONS, Role
from hongyan.accounts.types import Actor
from hongyan.audience.models import ContactTag, ListMember
from hongyan.contacts.models import Contact, Identifier
from hongyan.contacts.types import LIMITS
from hongyan.core.clock import freeze, now
from hongyan.ingest import files_at_rest, runner, selectors, services
from hongyan.ingest.errors import ImportNotReady, MappingRefused
from hongyan.ingest.files.delimited import DelimitedReader
from hongyan.ingest.files.types import Dialect
from hongyan.ingest.models import Import
from hongyan.ingest.prepare import TEXT_LIMITS
from hongyan.ingest.runner import import_dry, import_run
from hongyan.ingest.storage import SealedReader, new_key, store
from hongyan.ingest.tasks import delete_old_files
from hongyan.ingest.types import ImportState
from hongyan.ingest.undo import undo_run
from hongyan.jobs.errors import JobPaused
from hongyan.jobs.runner import job_run
from tests.ingest.factory import ACTOR, ready, run, started, upload
from tests.ingest.test_workbook import workbook

pytestmark = pytest.mark.django_db


def nothing(_done: int, _total: int | None) -> None:
    return


def test_a_dry_run_foretells_the_run_and_writes_nothing() -> None:
    run("name,email\n王,wang@example.com\n李,li@example.com\n")
    data = "name,email\n王五,wang@example.com\n李,li@example.com\n赵,zhao@example.com\n赵六,ZHAO@example.com\nx,bad\n"
    row = ready(data)
    foretold = import_dry(row.pk, nothing, workers=0)
    assert Contact.objects.count() == 2
    row.refresh_from_db()
    assert {sample["outcome"] for sample in row.dry_samples} == {"created", "updated", "merged"}
    counts = import_run(started(row).pk, nothing, workers=0)
    assert counts.dump() == foretold.dump()


def test_processes_prepare_the_same_as_one(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    write(path, 300)
    one = import_dry(ready(path.read_bytes()).pk, nothing, workers=0)
    two = import_dry(ready(path.read_bytes()).pk, nothing, workers=2)
    assert one.dump() == two.dump()


def test_paused_and_resumed_takes_each_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "CHUNK", 2)
    row = started(ready("email\n" + "".join(f"u{n}@example.com\n" for n in range(9))))

    def pause(done: int, _total: int | None) -> None:
        if done >= 4:
            raise JobPaused

    with pytest.raises(JobPaused):
        import_run(row.pk, pause, workers=0)
    row.refresh_from_db()
    assert (row.state, row.tally.rows, Contact.objects.count()) == (ImportState.STARTED, 4, 4)
    counts = import_run(row.pk, nothing, workers=0)
    assert (counts.rows, counts.created, Contact.objects.count()) == (9, 9, 9)


def test_a_chunk_that_fails_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    row = started(ready("email\na@example.com\n"))
    monkeypatch.setattr(runner, "add_creations", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        import_run(row.pk, nothing, workers=0)
    row.refresh_from_db()
    assert (row.chunk, Contact.objects.count(), Identifier.objects.count()) == (0, 0, 0)


def test_after_a_failure_of_ours_it_can_be_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ready("email\na@example.com\n")
    job = services.import_start(actor=ACTOR, public_id=row.public_id)
    with monkeypatch.context() as broken:
        broken.setattr(runner, "add_creations", lambda *_: 1 / 0)
        job_run(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    services.import_resume(actor=ACTOR, public_id=row.public_id)
    job_run(job_id=job.pk)
    row.refresh_from_db()
    assert (row.state, Contact.objects.count()) == (ImportState.FINISHED, 1)


def test_the_job_cancels_and_says_so() -> None:
    row = ready("email\na@example.com\n")
    services.import_start(actor=ACTOR, public_id=row.public_id)
    services.import_cancel(actor=ACTOR, public_id=row.public_id)
    row.refresh_from_db()
    assert row.state == ImportState.CANCELLED
    assert not Contact.objects.exists()


def test_the_same_file_is_not_imported_twice_at_once() -> None:
    started(ready("email\na@example.com\n"))
    with pytest.raises(ImportNotReady) as refused:
        started(ready("email\na@example.com\n"))
    assert refused.value.code == "same_file_running"


def test_no_consent_choice_no_import() -> None:
    row = upload("email\na@example.com\n")
    for act in (services.import_start, services.import_dry_run):
        with pytest.raises(ImportNotReady) as refused:
            act(actor=ACTOR, public_id=row.public_id)
        assert refused.value.code == "consent_undecided"


def test_options_outside_the_lists_are_refused() -> None:
    row = upload("email\na@example.com\n")
    for options in (
        {"policy": "destroy"},
        {"match_on": "name"},
        {"default_region": "XX"},
        {"date_order": "ydm"},
        {"tags": ["no-such-tag"]},
        {"lists": ["not-a-uuid"]},
        {"consent": {"choice": "attested"}},
        {"owner_id": 1},
    ):
        with pytest.raises(MappingRefused):
            services.import_configure(actor=ACTOR, public_id=row.public_id, options=options)


def test_workbooks_run_with_their_row_numbers() -> None:
    data = workbook([["姓名", "邮箱"], ["王", "wang@example.com"], [], ["李", "bad"], ["赵", "zhao@example.com"]])
    row, counts = run(data)
    assert (counts.created, counts.rejected, counts.blank) == (2, 1, 1)
    assert selectors.rejections(actor=ACTOR, public_id=row.public_id)[0][0].line == 4


def test_tags_and_lists() -> None:
    from hongyan.audience.lists import list_create
    from hongyan.audience.tagging.taxonomy import tag_for_key

    everybody = tag_for_key(actor=ACTOR, key="fair-2025")
    people = list_create(actor=ACTOR, name="展会名单")
    data = "email,标签\na@example.com,VIP，新客户\nb@example.com,\na@example.com,vip\n"
    row, counts = run(data, tags=["fair-2025"], lists=[str(people.public_id)])
    assert counts.tagged == 4
    assert set(ContactTag.objects.values_list("tag__key", flat=True)) == {"fair-2025", "vip", "新客户"}
    assert ContactTag.objects.filter(tag=everybody).count() == 2
    assert ListMember.objects.filter(list=people).count() == 2
    assert row.state == ImportState.FINISHED


def test_undo_deletes_what_was_created_but_not_what_was_touched_since() -> None:
    run("email,name\nold@example.com,旧\n")
    row, _ = run("email,name\nold@example.com,新\na@example.com,甲\nb@example.com,乙\n")
    run("email,name\nb@example.com,丙\n")
    job = services.import_undo(actor=ACTOR, public_id=row.public_id)
    job_run(job_id=job.pk)
    row.refresh_from_db()
    assert row.state == ImportState.UNDONE
    assert Contact.objects.count() == 2
    assert undo_run(row.pk, nothing) == 0


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path, stored, key = tmp_path / "x.csv", tmp_path / "stored", new_key()
    write(path, 60_000)
    size = store(stored, key, [path.read_bytes()])
    tracemalloc.start()
    with SealedReader(stored, key) as source:
        reader = DelimitedReader(source, Dialect())  # type: ignore[arg-type]
        rows = sum([len(chunk.rows) for chunk in reader.chunks(1_000)])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == 60_000
    assert most < 12_000_000 < 2 * size


def test_files_are_gone_after_seven_days_with_the_rejected_values() -> None:
    row, _ = run("email\nbad\na@example.com\n")
    path = files_at_rest.path_of(row.stored_name)  # type: ignore[arg-type]
    assert path.exists()
    delete_old_files()
    assert path.exists()
    Import.objects.update(created_at=now() - timedelta(days=8))
    delete_old_files()
    row.refresh_from_db()
    assert not path.exists()
    assert row.stored_name is None
    assert selectors.rejections(actor=ACTOR, public_id=row.public_id) == ([], None)


def test_strays_of_a_crash_are_swept_up() -> None:
    stray = files_at_rest.folder() / "0123.77.part"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x")
    delete_old_files()
    assert stray.exists()
    with freeze(now() + timedelta(hours=3)):
        delete_old_files()
    assert not stray.exists()


def actor(role: Role, user_id: int) -> Actor:
    return Actor(kind="user", id=user_id, label=role.value, permissions=ROLE_PERMISSIONS[role])


def test_values_of_somebody_elses_file_need_the_permission_to_see_people() -> None:
    row, _ = run("email\nbad address\na@example.com\n")
    rows, _ = selectors.rejections(actor=actor(Role.MARKETER, 77), public_id=row.public_id)
    assert [item.value for item in rows] == ["•••"]
    with pytest.raises(PermissionRefused):
        selectors.import_preview(actor=actor(Role.MARKETER, 77), public_id=row.public_id)
    with pytest.raises(PermissionRefused):
        services.import_create(actor=actor(Role.ANALYST, 77), file=iter([b"a"]), filename="x")


def test_every_service_asks_for_the_permission() -> None:
    row = ready("email\na@example.com\n")
    outsider = actor(Role.ANALYST, 1)
    acts: list[tuple[Any, dict[str, Any]]] = [
        (services.import_configure, {}),
        (services.import_reread, {}),
        (services.import_dry_run, {}),
        (services.import_start, {}),
        (services.import_cancel, {}),
        (services.import_pause, {}),
        (services.import_resume, {}),
        (services.import_undo, {}),
        (selectors.import_by_public_id, {}),
        (selectors.rejections, {}),
    ]
    for act, extra in acts:
        with pytest.raises(PermissionRefused):
            act(actor=outsider, public_id=row.public_id, **extra)


def test_limits_of_texts_agree_with_the_contacts_room() -> None:
    assert dict(LIMITS) == TEXT_LIMITS
