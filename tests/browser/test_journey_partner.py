"""Journey 8 in a browser: a partner with its agreement, a tip by its link without JavaScript, our own awareness."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from incident_tracker.scheduler.clock import Clock
from tests.browser import story
from tests.browser.conftest import OpenPage
from tests.browser.running import carry_in, served, tracker_at
from tests.browser.story import Story
from tests.makers import HandClock

pytestmark = pytest.mark.browser


@pytest.fixture
def nordlys(tmp_path: Path) -> Iterator[Story]:
    """Nordlys on a Saturday night, with a clock that ticks and an outbox that sends."""
    clock = HandClock(datetime(2026, 11, 21, 22, 10, tzinfo=UTC))
    with tracker_at(tmp_path, clock) as tracker:
        found = story.begin(tracker, clock)
        running = Clock(tracker)
        running.start()
        yield found
        assert running.stop()


@pytest.fixture
def address(nordlys: Story) -> Iterator[str]:
    with served(nordlys.tracker) as found:
        yield found


@pytest.mark.parametrize("width", ["phone", "desk"])
def test_a_partner_tells_us_by_its_link_and_the_72_hours_are_ours_to_start(
    nordlys: Story, address: str, open_page: OpenPage, tmp_path: Path, width: Literal["phone", "desk"]
) -> None:
    agreement = tmp_path / "aftale.pdf"
    agreement.write_bytes(b"%PDF-1.7 databehandleraftale")
    ada = open_page(width="desk")
    carry_in(ada.context, nordlys.tracker, address, nordlys.people["Ada"])
    ada.goto(f"{address}/partners")
    expect(ada.get_by_text("Ingen samarbejdspartnere endnu")).to_be_visible()
    ada.get_by_label("Navn", exact=True).fill("Skyhost A/S")
    ada.get_by_label("Hvad den laver").fill("Hoster webshoppen")
    ada.get_by_label("E-mail").fill("vagt@example.org")
    ada.get_by_role("button", name="Tilføj").click()
    expect(ada.get_by_role("heading", level=1)).to_have_text("Skyhost A/S")
    ada.get_by_label("Fil", exact=True).set_input_files(agreement)
    ada.get_by_label("Underskrevet").fill("2025-03-01")
    ada.get_by_role("button", name="Gem aftalen").click()
    expect(ada.get_by_text("Aftalen er gemt, krypteret.")).to_be_visible()
    with ada.expect_download() as handed:
        ada.get_by_role("link", name="Hent aftale.pdf").click()
    assert Path(handed.value.path()).read_bytes() == agreement.read_bytes()
    ada.get_by_role("button", name="Lav et nyt link").click()
    link = ada.locator("#partner-link").inner_text()

    skyhost = open_page(width=width, scripts=False)
    skyhost.goto(address + link[link.index("/partner/") :])
    expect(skyhost.get_by_role("heading", level=1)).to_have_text("Fortæl Nordlys ApS om et brud")
    assert skyhost.context.cookies() == []
    skyhost.get_by_role("button", name="Fortæl Nordlys ApS det").click()
    expect(skyhost.locator("#what-error")).to_be_visible()
    skyhost.get_by_label("Hvad er der sket?").fill("En backup med jeres kunder lå åben fra kl. 20 til kl. 22.")
    skyhost.get_by_label("Hvordan får vi fat i dig?").fill("Vagten, +45 32 12 34 56")
    skyhost.get_by_role("button", name="Fortæl Nordlys ApS det").click()
    expect(skyhost.get_by_role("heading", level=1)).to_have_text("Modtaget")
    expect(skyhost.get_by_text("2026-0001")).to_be_visible()
    assert skyhost.context.cookies() == []

    ada.goto(f"{address}/incidents/2026-0001")
    expect(ada.get_by_role("heading", level=1)).to_contain_text("Skyhost A/S: En backup med jeres kunder")
    expect(ada.get_by_text("Mistanke").first).to_be_visible()
    ada.goto(f"{address}/incidents/2026-0001/partners")
    expect(ada.get_by_text("Har ikke fået besked endnu.")).to_be_visible()
    expect(ada.get_by_role("link", name="Skriv til samarbejdspartnerne")).to_be_visible()
    ada.goto(f"{address}/incidents/2026-0001/journal")
    expect(ada.get_by_text("Skyhost A/S").first).to_be_visible()
    ada.goto(f"{address}/outbox")
    expect(ada.get_by_text("Ben").first).to_be_visible()
