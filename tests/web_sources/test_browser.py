"""Setting a source up and mending what waits in quarantine, in a real browser, in both languages."""

from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import expect

from hongyan.accounts.permissions import Role
from hongyan.ingest.models_intake import QuarantinedRecord
from hongyan.ingest.models_sources import Source, SourceRun
from hongyan.jobs.runner import job_run
from tests.browser import OpenPage, Site, axe_check
from tests.ingest.source_factory import emails, people, sqlite_file

pytestmark = pytest.mark.browser


@pytest.fixture
def shop() -> Path:
    folder: Path = settings.HONGYAN_DATA_DIR / "incoming"
    folder.mkdir(exist_ok=True)
    path = folder / "erp.db"
    path.unlink(missing_ok=True)
    bad = [(70 + n, f"no address {n}", "坏", "上海", f"2026-11-03 00:00:0{n}") for n in range(2)]
    return sqlite_file(path, [*people(8), *bad])


@pytest.mark.parametrize(("language", "theme", "width"), [("zh-hans", "light", 1440), ("en", "dark", 390)])
def test_from_a_database_to_contacts_and_what_could_not_be_taken(  # noqa: PLR0917 - fixtures and parameters
    site: Site, open_page: OpenPage, shop: Path, language: str, theme: str, width: int
) -> None:
    page = open_page("/data/", role=Role.ADMINISTRATOR, language=language, theme=theme, width=width)
    axe_check(page)
    page.goto(f"{site.url}/data/sources/new/")
    page.check("input[value=sql]")
    page.fill("#name", "ERP 客户")
    axe_check(page)
    page.click("main form button.btn-primary")
    page.fill("#url", f"sqlite:///{shop}")
    axe_check(page)
    page.click("main form button.btn-primary")
    page.select_option("#table", "people")
    page.click("button[value=look]")
    expect(page.get_by_text("p3@example.cn")).to_be_visible()
    page.select_option("#cursor", "updated_at")
    axe_check(page)
    page.click("button[value=next]")
    expect(page.locator("select[name=field-1]")).to_have_value("email")
    axe_check(page)
    page.click("main form.stack button.btn-primary")
    page.check("input[value=minutes]")
    axe_check(page)
    page.click("main form button.btn-primary")
    expect(page.locator("h1")).to_contain_text("ERP 客户")
    expect(page.locator("#source-run .progress, #source-run progress").first).to_be_visible()
    job = SourceRun.objects.get().job
    assert job is not None
    job_run(job_id=job.pk)
    # The page notices by itself that the run has ended.
    expect(page.locator("hy-chart")).to_be_visible(timeout=15_000)
    axe_check(page)
    assert len(emails()) == 8
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0

    page.locator(".callout a[href*=quarantine]").click()
    axe_check(page)
    page.locator("table").last.locator("a.row-title").first.click()
    expect(page.locator("input[aria-invalid]")).to_have_value("no address 1")
    axe_check(page)
    page.wait_for_selector("hy-queue:defined", state="attached")
    page.keyboard.press("j")
    expect(page.locator("input[aria-invalid]")).to_have_value("no address 0")
    page.wait_for_selector("hy-queue:defined", state="attached")
    page.fill("input[aria-invalid]", "mended@example.cn")
    page.locator("h1").click()  # out of the field: keys are for the queue again
    page.keyboard.press("e")
    expect(page.locator("input[aria-invalid]")).to_have_value("no address 1")
    assert "mended@example.cn" in emails()
    page.wait_for_selector("hy-confirm:defined", state="attached")
    page.locator("button.btn-danger[data-open]").click()
    page.locator("dialog [data-go]").click()
    expect(page.locator(".empty")).to_be_visible()
    assert set(QuarantinedRecord.objects.values_list("state", flat=True)) == {"taken", "discarded"}
    assert Source.objects.get().failures == 0
