"""Journey 5, the report: written in place, carried over by hand, filed too late with its reason, frozen."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader

from incident_tracker.services import incidents, register, reports
from tests.browser import story
from tests.browser.conftest import OpenPage
from tests.browser.running import give_sign_of_life, served, tracker_at
from tests.browser.story import Story
from tests.makers import PASSWORD, HandClock

pytestmark = pytest.mark.browser

AWARE = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
MARK = "Ikke kontrolleret mod den aktuelle formular på Virk"
REFERENCE = "2026-0001"
PERSONAL = "Falske opkald. Finn, finn@example.org, 32 12 34 56, ved mere."
Width = Literal["phone", "desk"]


@pytest.fixture
def nordlys(tmp_path: Path) -> Iterator[Story]:
    """Nordlys on the Friday, with a breach that Ada knows of since 16.45."""
    clock = HandClock(datetime(2026, 11, 20, 15, 10, tzinfo=UTC))
    with tracker_at(tmp_path, clock) as tracker:
        found = story.begin(tracker, clock)
        reference = found.open("Clara", "Kundeliste lå åbent på webserveren", place="web01", ongoing="yes")
        clock.set(AWARE)
        found.aware("Ada", reference)
        incidents.contain(tracker.context, found.actor("Clara"), reference, at=AWARE, how="Mappen blev lukket.")
        clock.advance(minutes=20)
        give_sign_of_life(tracker)
        yield found


@pytest.fixture
def address(nordlys: Story) -> Iterator[str]:
    with served(nordlys.tracker) as found:
        yield found


def _sign_in(page: Page, address: str, then: str) -> None:
    page.goto(address + then)
    page.get_by_label("E-mail").fill("ada@example.dk")
    page.get_by_label("Adgangskode").fill(PASSWORD)
    page.get_by_role("button", name="Log ind").click()
    expect(page).to_have_url(address + then)


def _row(page: Page, key: str) -> Locator:
    return page.locator(f"#q-{key}")


def _standing(nordlys: Story) -> str:
    overview = register.overview(nordlys.tracker.context, nordlys.actor("Ada"), REFERENCE)
    return next(str(how) for one, how in overview.obligations if one.duty == "notify_authority")


def _assess(page: Page, address: str) -> None:
    """Fill in what is known on the scope's page."""
    page.goto(f"{address}/incidents/{REFERENCE}/scope")
    page.locator("#people_count").fill("ca. 12.400")
    expect(page.locator("#people_count-understood")).not_to_be_empty()
    page.locator("#description").fill("En eksport af kundelisten lå i en åben mappe.")
    page.locator("input[name=breach_types][value=confidentiality]").check()
    page.locator("main form button.button-primary").click()
    expect(page.locator(".banner-said")).to_be_visible()


def _answer(page: Page, key: str, text: str) -> None:
    """Save one answer in place: the page is not loaded again, only its rows."""
    page.evaluate("window.notLoadedAgain = true")
    row = _row(page, key)
    field = row.locator("textarea, select")
    if not field.is_visible():
        row.locator("summary").click()
    if field.evaluate("one => one.tagName") == "SELECT":
        field.select_option(text)
    else:
        field.fill(text)
    row.get_by_role("button", name="Gem svaret").click()
    expect(_row(page, key).locator(".question-answer")).to_be_visible()
    assert page.evaluate("window.notLoadedAgain") is True


@pytest.mark.parametrize("width", ["phone", "desk"])
def test_a_report_is_written_filed_too_late_and_frozen(
    open_page: OpenPage, nordlys: Story, address: str, width: Width, tmp_path: Path
) -> None:
    page = open_page(width=width)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _sign_in(page, address, f"/incidents/{REFERENCE}/report")
    _assess(page, address)
    page.goto(f"{address}/incidents/{REFERENCE}/report")
    expect(page.get_by_text(MARK)).to_be_visible()

    missing = page.locator(".question-missing")
    before = missing.count()
    expect(_row(page, "dk-consequences").get_by_text("Mangler")).to_be_visible()
    page.locator("#report-count .button-primary").click()
    expect(missing.first.locator("textarea, select")).to_be_in_viewport()

    _answer(page, "dk-measures_before", "Mapper gennemgås hver måned.")
    expect(missing).to_have_count(before - 1)
    expect(_row(page, "dk-measures_before")).to_contain_text("Mapper gennemgås hver måned.")

    _answer(page, "dk-consequences", PERSONAL)
    warning = _row(page, "dk-consequences").locator(".answer-warning")
    expect(warning.first).to_be_visible()
    said = " ".join(warning.all_inner_texts())
    assert "e-mailadresse" in said
    assert "telefonnummer" in said
    page.reload()
    expect(_row(page, "dk-consequences").locator(".answer-warning").first).to_be_visible()

    row = _row(page, "dk-measures_before")
    row.locator("[data-copy]").click()
    expect(row.locator("[data-copy]")).to_contain_text("Kopieret")
    assert page.evaluate("navigator.clipboard.readText()") == "Mapper gennemgås hver måned."
    row.get_by_role("checkbox").click()
    expect(_row(page, "dk-measures_before").get_by_role("checkbox")).to_be_checked()
    page.reload()
    expect(_row(page, "dk-measures_before").get_by_role("checkbox")).to_be_checked()

    draft = _fetched(page, page.locator(".report-acts a[href*='draft.pdf']"), tmp_path)
    assert MARK in draft
    assert "Mapper gennemgås hver måned." in draft

    _file_too_late(page, nordlys, address, tmp_path)

    assert _standing(nordlys) == "met_late"
    frozen = _fetched(page, page.locator("a[href*='version-1.pdf']"), tmp_path)
    assert "Serveren var slukket i weekenden." in " ".join(frozen.split())
    content = reports.frozen_of(nordlys.tracker.context, nordlys.actor("Ada"), REFERENCE, "dk", 1)
    page.goto(f"{address}/incidents/{REFERENCE}/report")
    _answer(page, "dk-measures_before", "Rettet bagefter.")
    again = reports.frozen_of(nordlys.tracker.context, nordlys.actor("Ada"), REFERENCE, "dk", 1)
    assert again == content
    assert "Rettet bagefter." not in str(again.content)
    page.goto(f"{address}/incidents/{REFERENCE}/report/versions/1")
    expect(page.get_by_text(content.digest)).to_be_visible()
    expect(page.get_by_text("Mapper gennemgås hver måned.")).to_be_visible()


def _fetched(page: Page, link: Locator, folder: Path) -> str:
    """Download a PDF and return its text."""
    with page.expect_download() as caught:
        link.click()
    file = folder / caught.value.suggested_filename
    caught.value.save_as(file)
    assert file.read_bytes().startswith(b"%PDF-")
    return "\n".join(one.extract_text() for one in PdfReader(file).pages)


def _file_too_late(page: Page, nordlys: Story, address: str, folder: Path) -> None:
    """Type in the receipt two hours after the deadline; without a reason nothing is kept, and nothing is lost."""
    nordlys.at(23, 17, 45)
    give_sign_of_life(nordlys.tracker)
    receipt = folder / "kvittering.pdf"
    receipt.write_bytes(story.RECEIPT)
    _sign_in(page, address, f"/incidents/{REFERENCE}/report/filed")  # the sign-in of Friday has ended
    page.wait_for_load_state("load")
    for _ in range(20):  # typed before the page's script has come, it is not heard
        page.locator("#filed_at").fill("")
        page.locator("#filed_at").fill("i dag 18.30")
        page.wait_for_timeout(500)
        if "18.30" in page.locator("#filed_at-understood").inner_text():
            break
    expect(page.locator("#filed_at-understood")).to_contain_text("kl. 18.30")
    page.locator("#reference").fill("0a1b2c3d4e5f60718293a4b5c6d7e8f901234567")
    page.locator("#journal_number").fill("2026-441-0001")
    page.locator("#receipt").set_input_files(receipt)
    page.locator("main form button.button-primary").click()

    expect(page.get_by_role("alert").first).to_be_focused()
    expect(page.locator("#late_reason")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#filed_at")).to_have_value("i dag 18.30")
    expect(page.locator("#reference")).to_have_value("0a1b2c3d4e5f60718293a4b5c6d7e8f901234567")
    expect(page.locator(".kept-file")).to_contain_text("kvittering.pdf")
    assert _standing(nordlys) == "overdue"

    page.locator("#late_reason").fill("Serveren var slukket i weekenden.")
    page.locator("main form button.button-primary").click()
    if "/filed" in page.url:  # a number looked unusual: it is kept at the second press
        page.locator("main form button.button-primary").click()
    expect(page).to_have_url(f"{address}/incidents/{REFERENCE}/report/versions/1")
    expect(page.get_by_role("definition").get_by_text("Serveren var slukket i weekenden.")).to_be_visible()
    with page.expect_download() as caught:
        page.locator("a[href*='/evidence/']").click()
    assert Path(caught.value.path()).read_bytes() == story.RECEIPT


def test_a_number_that_looks_like_a_person_is_named_and_can_be_corrected(open_page: OpenPage, address: str) -> None:
    page = open_page()
    _sign_in(page, address, f"/incidents/{REFERENCE}/report")
    _answer(page, "dk-consequences", "Kunden med CPR 010100-1234 ringede.")
    expect(_row(page, "dk-consequences").locator(".answer-warning")).to_contain_text("CPR")
    _answer(page, "dk-consequences", "En kunde ringede.")
    expect(_row(page, "dk-consequences").locator(".answer-warning")).to_have_count(0)


def test_without_scripts_an_answer_is_saved_and_ticked_all_the_same(open_page: OpenPage, address: str) -> None:
    page = open_page(scripts=False)
    _sign_in(page, address, f"/incidents/{REFERENCE}/report")
    _row(page, "dk-measures_before").locator("textarea").fill("Mapper gennemgås hver måned.")
    _row(page, "dk-measures_before").get_by_role("button", name="Gem svaret").click()
    expect(_row(page, "dk-measures_before").locator(".question-answer")).to_have_text("Mapper gennemgås hver måned.")
    _row(page, "dk-measures_before").get_by_role("checkbox").click()
    expect(_row(page, "dk-measures_before").get_by_role("checkbox")).to_be_checked()
