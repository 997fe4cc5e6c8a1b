"""The command line for administrators."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from hongyan.audience.command import segment_count, segment_explain, segment_members, segment_why
from hongyan.config import boot
from hongyan.config.commands import history
from hongyan.identity.command import identity_explain, identity_run
from hongyan.ingest.command import export_command, import_command

app = typer.Typer(
    help="Hongyan 鸿雁: CRM with e-mail marketing inside.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
user_app = typer.Typer(help="Staff users.", no_args_is_help=True)
keys_app = typer.Typer(help="Keys of the personal data.", no_args_is_help=True)
audit_app = typer.Typer(help="The audit log.", no_args_is_help=True)
segment_app = typer.Typer(help="Audiences in their text form.", no_args_is_help=True)
identity_app = typer.Typer(help="Who is the same person.", no_args_is_help=True)
history_app = typer.Typer(help="The columnar copies of events and people.", no_args_is_help=True)
app.add_typer(history_app, name="history")
app.add_typer(identity_app, name="identity")
app.add_typer(user_app, name="user")
app.add_typer(keys_app, name="keys")
app.add_typer(audit_app, name="audit")
app.add_typer(segment_app, name="segment")


@app.command()
def up(
    demo: Annotated[bool, typer.Option(help="Load the demo shop on first start")] = False,
    demo_contacts: Annotated[int, typer.Option(help="People in the demo shop")] = 5000,
) -> None:
    """Start database, web, worker and mail catcher; Ctrl-C stops them."""
    from hongyan.config.commands import up as command

    try:
        command.run(demo=demo, demo_contacts=demo_contacts)
    except boot.PROBLEMS as problem:
        typer.secho(f"✗ {problem}", fg="red", err=True)
        raise typer.Exit(1) from problem


@app.command()
def demo(
    contacts: Annotated[int, typer.Option(help="How many people (up to some millions, for benchmarks)")] = 5000,
    remove: Annotated[bool, typer.Option("--remove", help="Remove everything marked as demo")] = False,
) -> None:
    """Load (or remove) the demo shop."""
    with boot.product(there=False):
        boot.migrate()
        from hongyan.config.demo.load import demo_load, demo_remove

        if remove:
            typer.echo(f"The demo is removed: {demo_remove():,} people.")
        else:
            demo_load(contacts=contacts)


@app.command()
def check() -> None:
    """Check configuration, database, keys, disk and mail, with remedies."""
    from hongyan.config.commands import check as command

    raise typer.Exit(command.run())


@app.command()
def migrate() -> None:
    """Bring the database schema up to date."""
    with boot.product(there=False):
        boot.migrate()
    typer.echo("✓ The schema is up to date.")


def _with_product(command: Callable[..., None]) -> Callable[..., None]:
    """A command of a room, given its database and the terminal's language; its options stay as they are."""

    @functools.wraps(command)
    def run(**options: Any) -> None:
        with boot.product():
            from django.utils import translation

            language = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
            with translation.override("zh-hans" if language.startswith("zh") else "en"):
                command(**options)

    return run


app.command("import")(_with_product(import_command))
app.command("export")(_with_product(export_command))
history_app.command("status")(_with_product(history.status))
history_app.command("rebuild")(_with_product(history.rebuild))
history_app.command("verify")(_with_product(history.verify))
identity_app.command("run")(_with_product(identity_run))
identity_app.command("explain")(_with_product(identity_explain))
segment_app.command("count")(_with_product(segment_count))
segment_app.command("members")(_with_product(segment_members))
segment_app.command("explain")(_with_product(segment_explain))
segment_app.command("why")(_with_product(segment_why))


@user_app.command("add")
def user_add(
    email: str,
    role: Annotated[list[str], typer.Option(help="administrator, marketer, approver, sales, support, …")],
    name: str = "",
) -> None:
    """Add a user and print a one-time sign-in link."""
    with boot.product():
        from hongyan.config.commands import user as command

        command.add(email=email, roles=role, name=name)


@user_app.command("list")
def user_list() -> None:
    """Users, roles, last sign-in."""
    with boot.product():
        from hongyan.config.commands import user as command

        command.show()


@user_app.command("link")
def user_link(email: str) -> None:
    """Print a one-time sign-in link for a user who lost theirs."""
    with boot.product():
        from hongyan.config.commands import user as command

        command.link(email=email)


@keys_app.command("rotate")
def keys_rotate(
    new_master: Annotated[Path | None, typer.Option(help="Also wrap all keys with this new master key file")] = None,
) -> None:
    """Make a new data key and seal everything again with it, while the product runs."""
    with boot.product():
        from hongyan.config.commands import keys as command

        command.rotate(new_master=new_master)


@audit_app.command("verify")
def audit_verify() -> None:
    """Recompute the chain of the audit log; exit code 1 when an entry was altered."""
    with boot.product():
        from hongyan.config.commands import audit as command

        code = command.verify()
    raise typer.Exit(code)


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="File to write, e.g. hongyan-2026-11-22.tar")],
    with_key: Annotated[
        bool, typer.Option(help="Put the master key inside (then guard the file like the key)")
    ] = False,
) -> None:
    """Write database and files into one archive."""
    with boot.product(current=False):  # also before an upgrade
        from hongyan.config.commands import archive as command

        command.backup(target=target, with_key=with_key)


@app.command()
def restore(
    source: Path,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before replacing what is there")] = False,
) -> None:
    """Replace database and files by those of an archive."""
    with boot.product(there=False):
        from hongyan.config.commands import archive as command

        command.restore(source=source, yes=yes)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
