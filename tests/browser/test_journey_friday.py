"""Journey 1, Friday 16:45: logged in under a minute, told within seconds, taken by an OK."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Role
from incident_tracker.scheduler.clock import Clock
from incident_tracker.services import accounts, calling, register
from tests.browser import story
from tests.browser.conftest import OpenPage
from tests.browser.running import served, tracker_at
from tests.browser.story import Story
from tests.makers import PASSWORD, HandClock

pytestmark = pytest.mark.browser

REFERENCE = "2026-0001"
Width = Literal["phone", "desk"]
WIDTHS: tuple[Width, ...] = ("phone", "desk")


@pytest.fixture
def nordlys(tmp_path: Path) -> Iterator[Story]:
    """Nordlys on Friday at 16.45, with a clock that ticks and an outbox that sends."""
    clock = HandClock(datetime(2026, 11, 20, 15, 45, tzinfo=UTC))
    with tracker_at(tmp_path, clock) as tracker:
        found = story.begin(tracker, clock)
        accounts.create(
            tracker.context,
            SHELL,
            name="Rosa",
            email="rosa@example.dk",
            password=PASSWORD,
            grants={found.controller.id: Role.REPORTER},
        )
        running = Clock(tracker)
        running.start()
        yield found
        assert running.stop()


@pytest.fixture
def address(nordlys: Story) -> Iterator[str]:
    with served(nordlys.tracker) as found:
        yield found


def _sign_in(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/sign-in")
    page.get_by_label("E-mail").fill(f"{name}@example.dk")
    page.get_by_label("Adgangskode").fill(PASSWORD)
    page.locator("button.button-primary").click()
    expect(page.locator("h1")).to_be_visible()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Callable[[Width], Page]]:
    """Make pages on which axe may look: it writes styles of its own, which the policy of the pages forbids."""
    made: list[BrowserContext] = []

    def make(width: Width) -> Page:
        size: ViewportSize = {"width": 390 if width == "phone" else 1440, "height": 844}
        context = browser.new_context(viewport=size, locale="da-DK", bypass_csp=True, reduced_motion="reduce")
        context.set_default_timeout(10_000)
        made.append(context)
        return context.new_page()

    yield make
    for context in made:
        context.close()


def _look(page: Page) -> None:
    """Let axe look, in light and dark; nothing scrolls sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page)
        assert found.violations_count == 0, f"{page.url} {scheme}\n{found.generate_report()}"


def _log(page: Page, address: str) -> None:
    page.goto(f"{address}/incidents/new")
    page.get_by_label("Hvad er der sket?").fill("Nyhedsbrevet gik ud med alle adresser i Cc. Ca. 300 modtagere.")
    when = page.locator("#detected_at")
    when.fill("i dag 16.40")
    expect(page.locator("#detected_at-understood")).to_contain_text("Fredag 20. november 2026 kl. 16.40, UTC+1")
    page.get_by_label("Hvor skete det?").fill("Nyhedsbrevssystemet")
    page.locator(".segmented label", has_text="Nej").click(force=True)
    page.locator("input[name=ongoing][value=no]").check(force=True)
    page.locator("#people").fill("200-400")
    expect(page.locator("#people-understood")).to_contain_text("mellem 200 og 400 personer")
    expect(page.locator(".after-button")).to_contain_text("Ben har vagten")


@pytest.mark.parametrize("width", WIDTHS)
def test_logged_told_and_taken(open_page: OpenPage, nordlys: Story, address: str, width: Width) -> None:
    page = open_page(width=width)
    _sign_in(page, address, "ben")
    _log(page, address)
    page.locator("main form button.button-primary").click()
    expect(page).to_have_url(f"{address}/incidents/{REFERENCE}")
    expect(page.locator("h1")).to_have_text("Nyhedsbrevet gik ud med alle adresser i Cc")

    message = page.locator(".message-text").first
    for _ in range(10):
        page.goto(f"{address}/outbox")
        if message.count():
            break
        page.wait_for_timeout(500)
    expect(message).to_contain_text(f"{REFERENCE}: ny mistanke om brud.")
    for fact in ("Nyhedsbrev", "adresser", "300"):
        assert fact not in message.inner_text()

    page.locator(".reply input[name=text]").first.fill("OK")
    page.locator(".reply button").first.click()
    expect(page.locator(".banner-said")).to_be_visible()
    for _ in range(20):
        if not calling.open_alerts(nordlys.tracker.context, SHELL):
            break
        page.wait_for_timeout(250)
    assert calling.open_alerts(nordlys.tracker.context, SHELL) == []
    page.goto(f"{address}/incidents/{REFERENCE}/journal")
    expect(page.locator(".journal")).to_contain_text("Ben kvitterede alarmen")


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_the_way(
    watched: Callable[[Width], Page], nordlys: Story, address: str, width: Width
) -> None:
    nordlys.open("Clara", "Kundeliste lå åbent", place="web01")
    alert = calling.open_alerts(nordlys.tracker.context, SHELL)[0][0]
    page = watched(width)
    _sign_in(page, address, "ada")
    under = ("", "/decide", "/deadlines", "/journal", "/contain")
    for path in ("/", "/outbox", f"/alerts/{alert.id}", *(f"/incidents/{REFERENCE}{one}" for one in under)):
        page.goto(address + path)
        _look(page)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_was_typed_survives_a_mistake(
    watched: Callable[[Width], Page], nordlys: Story, address: str, width: Width
) -> None:
    page = watched(width)
    _sign_in(page, address, "rosa")
    _log(page, address)
    page.locator("#detected_at").fill("20.11.2026 kl. 21.15")
    page.locator("main form button.button-primary").click()
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Ret ét felt, så er den logget")
    expect(page.locator("#detected_at-error")).to_contain_text("kl. 21.15 er ikke kommet endnu. Klokken er 16.45.")
    expect(page.get_by_label("Hvor skete det?")).to_have_value("Nyhedsbrevssystemet")
    _look(page)
    page.locator("#detected_at").fill("nu")
    page.locator("main form button.button-primary").click()
    expect(page).to_have_url(f"{address}/incidents/received")
    expect(page.locator("h1")).to_have_text(REFERENCE)
    _look(page)
    one = register.overview(nordlys.tracker.context, SHELL, REFERENCE).incident
    assert one.place == "Nyhedsbrevssystemet"


@pytest.mark.parametrize("scripts", [True, False])
def test_the_alert_is_taken_by_one_button(
    open_page: OpenPage, nordlys: Story, address: str, *, scripts: bool
) -> None:
    nordlys.open("Clara", "Kundeliste lå åbent", place="web01")
    alert = calling.open_alerts(nordlys.tracker.context, SHELL)[0][0]
    page = open_page(width="phone", scheme="dark", scripts=scripts)
    _sign_in(page, address, "ben")
    page.goto(f"{address}/alerts/{alert.id}")
    button = page.get_by_role("button", name="Kvittér, jeg tager den")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 64
    assert box["y"] + box["height"] < 844
    button.click()
    expect(page.locator(".banner-said")).to_contain_text(f"Kvitteret: {REFERENCE}")
    assert calling.open_alerts(nordlys.tracker.context, SHELL) == []


def test_the_board_looks_again_and_keeps_the_focus(open_page: OpenPage, nordlys: Story, address: str) -> None:
    first = nordlys.open("Clara", "Kundeliste lå åbent", place="web01")
    page = open_page()
    _sign_in(page, address, "ben")
    page.goto(f"{address}/")
    page.locator(f"#lane-{first}").focus()
    second = nordlys.open("Clara", "Bærbar stjålet", place="Varevogn")
    page.evaluate("htmx.ajax('GET', '/', {target: '#board', swap: 'innerHTML'})")
    expect(page.locator(f"#lane-{second}")).to_be_visible()
    expect(page.locator(f"#lane-{first}")).to_be_focused()
