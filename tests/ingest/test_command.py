from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hongyan.contacts.models import ConsentRecord, Contact
from hongyan.ingest.command import export_command, import_command

pytestmark = pytest.mark.django_db

app = typer.Typer()
app.command("import")(import_command)
app.command("export")(export_command)
CSV = "姓名,联络邮件,电话\n=王,wang@example.com,13800138000\n李,nonsense,\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    path.write_bytes(CSV.encode("gb18030"))
    return path


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_without_a_consent_choice_nothing_happens(file: Path) -> None:
    code, text = call("import", file)
    assert code == 2
    assert "--no-consent" in text
    assert not Contact.objects.exists()


def test_dry_run_then_import_then_export_then_the_same_again(file: Path, tmp_path: Path) -> None:
    code, text = call("import", file, "--map", "联络邮件=email", "--dry-run")
    assert (code, Contact.objects.count()) == (0, 0), text
    rejects = tmp_path / "rejects.csv"
    code, text = call(
        "import",
        file,
        "--map",
        "联络邮件=email",
        "--topic",
        "newsletter",
        "--consent-source",
        "fair",
        "--rejects",
        rejects,
    )
    assert (code, Contact.objects.count()) == (0, 1), text
    assert ConsentRecord.objects.filter(action="given").count() == 1
    assert "nonsense" in rejects.read_text("utf-8-sig")
    out = tmp_path / "out.csv"
    code, text = call("export", out, "--reason", "backup")
    assert code == 0, text
    assert "'=王" in out.read_text("utf-8-sig")
    assert out.stat().st_mode & 0o077 == 0
    code, text = call("import", out, "--no-consent")
    assert code == 0, text
    assert "unchanged" in text
    assert Contact.objects.get().updated_at == Contact.objects.get().created_at


def test_mistakes_are_sentences_not_tracebacks(file: Path, tmp_path: Path) -> None:
    for arguments in (
        ("import", file, "--map", "nope=email", "--no-consent"),
        ("import", file, "--map", "姓名=score", "--no-consent"),
        ("import", file, "--policy", "destroy", "--no-consent"),
        ("export", tmp_path / "x.csv", "--reason", " "),
        ("export", tmp_path / "x.csv", "--reason", "x", "--column", "password"),
    ):
        assert call(*arguments)[0] == 2
