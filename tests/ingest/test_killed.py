"""An import whose process is killed goes on where it stopped and ends as if nothing had happened."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from bench.import_data import write
from hongyan.contacts.models import ConsentRecord, ConsentState, Contact, Identifier
from hongyan.contacts.selectors import identities
from hongyan.core.crypto.keyring import keyring
from hongyan.ingest.models import Import, ImportRejection
from hongyan.ingest.types import ImportState
from tests.ingest.factory import ready, started

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
ROWS = 4_000


def run_process(import_id: int, kill_at: int | None = None) -> int:
    name = str(connection.settings_dict["NAME"])
    environment = {**os.environ, "HONGYAN_TEST_DATABASE_NAME": name, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    if kill_at is not None:
        environment["HONGYAN_FAULT_IMPORT_KILL_AT"] = str(kill_at)
    done = subprocess.run(
        [sys.executable, "-m", "tests.ingest.runner_process", str(import_id)],
        env=environment,
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=False,
    )
    return done.returncode


def everything(row: Import) -> Any:
    """The database as people see it: ids and times apart, in the order of the addresses."""
    people = identities(Contact.objects.values_list("id", flat=True))
    known = {item.id: item for item in Contact.objects.all()}
    contacts = sorted(
        (
            identity.email,
            identity.full_name,
            identity.phone,
            identity.notes,
            known[pk].city,
            known[pk].country,
            sorted(known[pk].search_tokens),
            sorted(Identifier.objects.filter(contact_id=pk).values_list("kind", flat=True)),
        )
        for pk, identity in people.items()
    )
    rejected = [
        (item.line, item.column, item.code, keyring().records.open(bytes(item.value), owner_id=row.pk))
        for item in ImportRejection.objects.filter(batch=row).order_by("id")
    ]
    return contacts, rejected, ConsentRecord.objects.count(), ConsentState.objects.count(), row.counts


def test_killed_twice_and_resumed_equals_an_undisturbed_run(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    write(path, ROWS, seed=3)
    undisturbed = started(ready(path.read_bytes(), topics=["newsletter"]))
    assert run_process(undisturbed.pk) == 0
    undisturbed.refresh_from_db()
    expected = everything(undisturbed)
    assert undisturbed.tally.created > ROWS * 0.9
    clear()

    killed = started(ready(path.read_bytes(), topics=["newsletter"]))
    assert run_process(killed.pk, kill_at=900) == -signal.SIGKILL
    killed.refresh_from_db()
    assert 0 < killed.tally.rows < ROWS
    assert Contact.objects.count() == killed.tally.created
    assert run_process(killed.pk, kill_at=2_600) == -signal.SIGKILL
    assert run_process(killed.pk) == 0
    killed.refresh_from_db()
    assert killed.state == ImportState.FINISHED
    assert everything(killed) == expected


def clear() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table in ("consentrecord", "consentstate", "identifier", "contact"):
            cursor.execute(f"DELETE FROM contacts_{table}")
        cursor.execute("DELETE FROM ingest_importrejection")
        cursor.execute("DELETE FROM ingest_import")
        cursor.execute("SET session_replication_role = DEFAULT")
