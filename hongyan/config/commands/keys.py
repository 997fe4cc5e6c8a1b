"""``hongyan keys rotate``: a new data key, then everything sealed again in batches beside the running product."""

import sys
from pathlib import Path

from django.conf import settings
from rich.console import Console
from rich.progress import Progress

from hongyan.accounts.types import system_actor
from hongyan.audit.services import record
from hongyan.contacts.models import Contact
from hongyan.contacts.sealing import reseal_batch
from hongyan.core.crypto import master
from hongyan.core.crypto.keyring import keyring, new_seal_version, rewrap

console = Console()
_BATCH = 2_000


def rotate(*, new_master: Path | None) -> None:
    """Interrupted at any point, the next call goes on: old keys stay until nothing needs them, and longer."""
    if new_master is not None:
        change_master(new_master)
    version = new_seal_version()
    waiting = Contact.objects.exclude(sealed=None).exclude(seal_version=version).count()
    with Progress(console=console) as progress:
        task = progress.add_task(f"Sealing with key {version}", total=waiting)
        still = 0
        while still < 3:  # rows locked by others at the moment come in a later batch
            done = reseal_batch(limit=_BATCH)
            progress.advance(task, done)
            still = 0 if done else still + 1
    left = Contact.objects.exclude(sealed=None).exclude(seal_version=version).count()
    record(
        actor=system_actor("hongyan keys rotate"),
        action="keys.rotated",
        subject_kind="keys",
        subject_id=str(version),
        data={"resealed": waiting - left},
    )
    if left:
        console.print(f"[yellow]![/] {left} contacts were busy; run the command again.")
        sys.exit(1)
    console.print(f"[green]✓[/] {waiting:,} contacts are sealed with key {keyring().seal_version}.")


def change_master(path: Path) -> None:
    """Wrap every data key with the master key in ``path`` (made when missing). The running product needs a restart."""
    if settings.HONGYAN_MASTER_KEY:
        old = master.parse(settings.HONGYAN_MASTER_KEY)
    else:
        old = master.read_or_create(settings.HONGYAN_DATA_DIR / "master.key")
    count = rewrap(old_master=old, new_master=master.read_or_create(path))
    settings.HONGYAN_MASTER_KEY = path.read_text(encoding="ascii").strip()
    console.print(f"[green]✓[/] {count} data keys are wrapped with the key in {path}.")
    console.print(f"Set [bold]HONGYAN_MASTER_KEY_FILE={path}[/] and restart; keep the old key until then.")
