"""Journey 7, Is this real?, on a phone: the reference of the mail, the same text, a question, its answer by mail."""

import email
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Literal, cast

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from incident_tracker.services import notices, questions, suspicions
from tests.browser import story
from tests.browser.conftest import OpenPage
from tests.browser.running import carry_in, give_sign_of_life, served, tracker_at
from tests.browser.story import Story
from tests.makers import HandClock
from tests.notices import begin, make_people

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

START = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
HERS = "aase@example.org"
QUESTION = "Er mit kortnummer med? »Jeg« spørger & venter <b>her</b>."
ANSWER = "Nej. Der stod ingen kortnumre i filen.\n\nHold øje med falske mails de næste uger."


@pytest.fixture
def nordlys(tmp_path: Path) -> Iterator[Story]:
    """Nordlys after a breach of which Åse and John have just been told by mail."""
    clock = HandClock(START)
    with tracker_at(tmp_path, clock) as tracker:
        found = story.begin(tracker, clock)
        reference = found.open("Clara", "Kundeliste lå åbent på webserveren", place="web01")
        found.aware("Ada", reference)
        make_people(
            tracker.context, reference, [("Åse Ørsted", HERS, "", "da"), ("John Doe", "john@example.org", "", "en")]
        )
        begin(tracker.context, reference, found.controller, channels=["email"])
        for _ in range(3):
            notices.go_on(tracker.context, clock())
            found.tick()
        give_sign_of_life(tracker)
        yield found


@pytest.fixture
def address(nordlys: Story) -> Iterator[str]:
    with served(nordlys.tracker) as found:
        yield found


def _mails(nordlys: Story, to: str) -> list[EmailMessage]:
    """Open the files of the mails to one address, oldest first."""
    folder = nordlys.tracker.context.settings.data.dir / "outbox"
    files = sorted(folder.rglob("*.eml"), key=lambda one: one.stat().st_mtime_ns)
    mails = [cast("EmailMessage", email.message_from_bytes(one.read_bytes(), policy=default)) for one in files]
    return [one for one in mails if one["To"] == to]


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def _reference(nordlys: Story) -> str:
    found = re.search(r"Reference: ([0-9A-Z]{4}-[0-9A-Z]{4})", _part(_mails(nordlys, HERS)[0], "plain"))
    assert found
    return found[1]


def _is_clean(page: Page) -> None:
    """See that no cookie was set, and that nothing scrolls sideways down to 320 px."""
    assert page.context.cookies() == []
    before = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    if before is not None:
        page.set_viewport_size(before)


def test_a_reader_sees_that_it_is_real_asks_and_is_answered(
    nordlys: Story, address: str, open_page: OpenPage
) -> None:
    context = nordlys.tracker.context
    reference = _reference(nordlys)
    page = open_page(width="phone")
    page.goto(f"{address}/notice")
    page.get_by_label("Reference i din besked").fill(f" {reference.lower()} ")
    page.get_by_role("button", name="Slå den op").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ja.")
    main = page.locator("main")
    expect(main).to_contain_text("Nordlys ApS har sendt den den 20. november 2026.")
    for said in ("Vigtigt om dine oplysninger", "Slet nyhedsbrevet i dag. Så ser ingen de andres adresser."):
        expect(main).to_contain_text(said)
    _is_clean(page)

    page.get_by_role("link", name="In English").click()
    expect(main).to_contain_text("On Friday 20 November we sent a newsletter.")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("link", name="På dansk").click()

    nordlys.clock.advance(minutes=2)
    page.get_by_label("Dit spørgsmål").fill(QUESTION)
    page.get_by_label("Din e-mail").fill("aase")
    page.get_by_role("button", name="Send spørgsmålet").click()
    expect(page.locator("#email-error")).to_be_visible()
    expect(page.get_by_label("Dit spørgsmål")).to_have_value(QUESTION)
    page.get_by_label("Din e-mail").fill(HERS)
    page.get_by_role("button", name="Send spørgsmålet").click()
    expect(page.get_by_role("heading", name="Tak. Vi har modtaget det.")).to_be_visible()
    _is_clean(page)

    (asked,) = questions.listing(context, nordlys.actor("Clara"), "2026-0001")
    expect(page.locator(".receipt-number strong")).to_have_text(asked.receipt)

    desk = open_page(width="phone")
    carry_in(desk.context, nordlys.tracker, address, nordlys.people["Clara"])
    desk.goto(f"{address}/incidents/2026-0001/questions")
    expect(desk.locator("main")).to_contain_text(QUESTION)
    desk.get_by_role("link", name="Et spørgsmål").click()
    desk.get_by_label("Dit svar").fill(ANSWER)
    desk.get_by_role("button", name="Send svaret").click()
    expect(desk.locator(".banner-said")).to_contain_text("Svaret er på vej")
    expect(desk.locator("main")).to_contain_text("Besvaret")
    desk.goto(f"{address}/incidents/2026-0001/journal")
    expect(desk.locator("main")).to_contain_text("besvarede et spørgsmål på mail")

    nordlys.tick()
    mail = _mails(nordlys, HERS)[-1]
    assert mail["Subject"] == f"Svar på din henvendelse ({reference})"
    assert ANSWER in _part(mail, "plain")
    letter = open_page(width="desk")
    letter.set_viewport_size({"width": 390, "height": 844})
    letter.set_content(_part(mail, "html"))
    expect(letter.locator("body")).to_contain_text("Der stod ingen kortnumre i filen.")
    expect(letter.locator("body")).to_contain_text(f"Dit kvitteringsnummer er {asked.receipt}")
    assert letter.locator("a, img, script, link").count() == 0
    assert letter.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_javascript_in_the_dark_somebody_tells_of_a_leak(
    nordlys: Story, address: str, open_page: OpenPage
) -> None:
    page = open_page(width="phone", scheme="dark", scripts=False)
    page.goto(f"{address}/report")
    page.get_by_label("Hvad har du set?").fill("Jeg kan se andres ordrer.")
    page.get_by_role("button", name="Send til Nordlys ApS").click()
    expect(page.locator(".error-summary")).to_contain_text("Det gik meget hurtigt")
    nordlys.clock.advance(seconds=20)
    page.get_by_role("button", name="Send til Nordlys ApS").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tak. Vi har modtaget det.")
    assert page.context.cookies() == []
    (one,) = suspicions.listing(nordlys.tracker.context, nordlys.actor("Clara"))
    expect(page.locator(".receipt-number strong")).to_have_text(one.receipt)

    desk = open_page(width="desk")
    carry_in(desk.context, nordlys.tracker, address, nordlys.people["Clara"])
    desk.goto(f"{address}/")
    expect(desk.get_by_role("navigation", name="Hovedmenu").get_by_role("link", name="Henvendelser")).to_contain_text(
        "1"
    )
    desk.goto(f"{address}/inbox/{one.id}")
    desk.get_by_label("Hændelsens titel").fill("Ordrelink kan gættes")
    desk.get_by_role("button", name="Opret en hændelse").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Ordrelink kan gættes")
    expect(desk.locator(".banner-said")).to_contain_text("Afgør, om det er et brud")


def test_a_wrong_reference_stays_calm_and_a_flood_is_told_whom_to_write_to(
    nordlys: Story, address: str, open_page: OpenPage
) -> None:
    page = open_page(width="phone")
    page.goto(f"{address}/notice/2222-2222")
    expect(page.get_by_role("heading", level=1)).to_have_text("Vi kender ingen besked med den reference")
    expect(page.locator("main")).to_contain_text("Du kan altid spørge os")
    _is_clean(page)
    for number in range(11):
        page.goto(f"{address}/report")
        nordlys.clock.at += timedelta(seconds=4)
        page.get_by_label("Hvad har du set?").fill(f"Mappe {number}")
        page.get_by_role("button", name="Send til Nordlys ApS").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ikke sendt endnu")
    expect(page.locator("main")).to_contain_text("ada@example.dk")
    expect(page.locator("textarea")).to_have_value("Mappe 10")
    _is_clean(page)


def test_a_page_prints_its_text_and_its_address_without_the_form(
    nordlys: Story, address: str, open_page: OpenPage
) -> None:
    page = open_page(width="desk")
    page.goto(f"{address}/notice/{_reference(nordlys)}")
    expect(page.get_by_role("button", name="Udskriv")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Send spørgsmålet")).to_be_hidden()
    expect(page.locator(".notice-text")).to_be_visible()
    expect(page.locator("footer .print-only")).to_have_text(f"{address}/notice/{_reference(nordlys)}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_public_pages(
    nordlys: Story, address: str, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    real = f"/notice/{_reference(nordlys)}"
    for path in ("/report", "/report?language=en", real, f"{real}?language=en", "/notice", "/notice/2222-2222"):
        page.goto(address + path)
        assert Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"] == [], path
    for path in ("/report", real):
        page.goto(address + path)
        page.locator(".button-primary").click()
        expect(page.locator(".error-summary")).to_be_visible()
        assert Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"] == [], path
    context.close()
