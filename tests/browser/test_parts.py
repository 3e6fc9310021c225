"""The parts of the look in a real browser: nobody is shut out, nothing scrolls sideways, nothing typed is lost."""

import mimetypes
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import sample_pages
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGES: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "parts": ("web/parts.html", sample_pages.parts),
    "board": ("board.html", sample_pages.board),
    "incident": ("incident.html", sample_pages.incident),
    "form": ("form.html", sample_pages.form_page),
    "wrong": ("form.html", lambda: sample_pages.form_page(wrong=True)),
    "saved": ("saved.html", lambda: {"frame": sample_pages.frame()}),
    "sign-in": ("sign_in.html", sample_pages.signed_out),
}
Scheme = Literal["light", "dark"]


class _Pages(BaseHTTPRequestHandler):
    env = sample_pages.environment()
    answer_to_post = "saved"

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].strip("/")
        if name.startswith("static/"):
            self._say((sample_pages.STATIC / name.removeprefix("static/")).read_bytes(), name)
        elif name in PAGES:
            self._page(name)
        elif name == "understood":
            self._say("<span>Søndag 22. november 2026 kl. 14.30, UTC+1</span>".encode(), "answer.html")
        else:
            self._say(b"", "nothing.txt")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._page(type(self).answer_to_post)

    def _page(self, name: str) -> None:
        template, facts = PAGES[name]
        self._say(self.env.get_template(template).render(facts()).encode(), "page.html")

    def _say(self, body: bytes, name: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", mimetypes.guess_type(name)[0] or "application/octet-stream")
        if not self.path.endswith("?axe"):  # axe itself writes inline styles
            self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ["desk", "phone"])
@pytest.mark.parametrize("name", ["parts", "board", "incident", "wrong", "sign-in"])
def test_axe_finds_nothing(
    open_page: OpenPage, address: str, name: str, width: Literal["desk", "phone"], scheme: Scheme
) -> None:
    page = open_page(width=width, scheme=scheme)
    page.goto(f"{address}{name}?axe")
    found = Axe().run(page).response["violations"]
    assert not [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize("name", ["parts", "board", "incident", "wrong", "sign-in"])
def test_nothing_scrolls_sideways(open_page: OpenPage, address: str, name: str) -> None:
    page = open_page()
    page.goto(address + name)
    wide = []
    for pixels in (320, 390, 759, 760, 1000, 1199, 1200, 1440):
        page.set_viewport_size({"width": pixels, "height": 800})
        wide += [pixels] if page.evaluate("document.documentElement.scrollWidth") > pixels else []
    assert not wide


@pytest.mark.parametrize("name", ["parts", "board", "incident", "wrong"])
def test_targets_are_large_enough_for_a_thumb(open_page: OpenPage, address: str, name: str) -> None:
    page = open_page(width="phone")
    page.goto(address + name)
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, input:not([type=hidden]), select, textarea, nav a, .chip')]
        .filter(e => e.checkVisibility({visibilityProperty: true}))
        .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([_, box]) => box.height < 24 || box.width < 24).map(([html]) => html)"""
    )
    assert not small


def _number(page: Page) -> str:
    return page.locator(".dial-number").first.text_content() or ""


def test_the_number_changes_once_a_minute_and_the_hand_steps_with_it(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.clock.install()
    page.goto(address + "incident")
    hand = page.locator(".dial-hand").first
    at_first, before = _number(page), hand.get_attribute("d")
    assert at_first in ("21h14min", "21h13min"), "a slow machine may take a minute's end to load it"
    page.clock.run_for(61_500)
    left = _minutes(at_first) - _minutes(_number(page))
    assert left in (1, 2)
    assert hand.get_attribute("d") != before


def _minutes(number: str) -> int:
    hours, _, rest = number.partition("h")
    return int(hours) * 60 + int(rest.removesuffix("min"))


def test_the_last_ten_minutes_are_counted_by_the_second(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.clock.install()
    page.goto(address + "incident")
    page.clock.run_for((21 * 60 + 5) * 60_000)
    first = _number(page)
    page.clock.run_for(1000)
    assert first.endswith("s")
    assert _number(page) != first


def test_a_whole_hour_is_spoken_once_and_politely(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.clock.install()
    page.goto(address + "incident")
    voice = page.locator("[data-dial-voice]").first
    page.clock.run_for(60_000)
    expect(voice).to_have_text("")
    page.clock.run_for(14 * 60_000)
    expect(voice).to_have_text("20 h 59 min time left")
    page.clock.run_for(10 * 60_000)
    expect(voice).to_have_text("20 h 59 min time left")
    expect(voice).to_have_attribute("role", "status")


def test_without_scripts_the_dial_says_when_it_was_drawn(open_page: OpenPage, address: str) -> None:
    page = open_page(scripts=False)
    page.goto(address + "incident")
    expect(page.locator(".dial-as-of")).to_be_visible()
    expect(page.locator(".dial-as-of")).to_have_text("as of 19.31")
    page.goto(address + "form")
    expect(page.locator("[data-copy]")).to_be_hidden()


def test_the_time_line_is_a_table_for_who_cannot_see_it_and_for_who_asks(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.goto(address + "incident")
    assert page.get_by_role("table", name="The time line as a table").count() == 1
    page.get_by_role("link", name="Show as a table").click()
    expect(page.get_by_role("cell", name="mandag 23. november kl. 16.45")).to_be_in_viewport()


def test_light_and_dark_are_kept_in_a_cookie(open_page: OpenPage, address: str) -> None:
    page = open_page(scheme="light")
    page.goto(address + "board")
    page.get_by_role("button", name="Dark").first.click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 21, 20)"
    assert {"name": "theme", "value": "dark"}.items() <= dict(page.context.cookies()[0]).items()


def _type_a_suspicion(page: Page, address: str) -> None:
    page.goto(address + "form")
    page.get_by_label("Hvad er der sket?").fill("Et nyhedsbrev er sendt ud")
    page.get_by_text("Nej", exact=True).click()
    page.get_by_label("Jeg er sikker").check()
    page.get_by_label("Adgangskode").fill("hemmelig")


def test_what_was_typed_outlives_an_expired_session(open_page: OpenPage, address: str) -> None:
    page = open_page()
    _type_a_suspicion(page, address)
    _Pages.answer_to_post = "sign-in"
    page.get_by_role("button", name="Log mistanken").click()
    expect(page.get_by_role("heading", name="Log ind")).to_be_visible()
    expect(page.locator("html.js")).to_be_attached()
    page.goto(address + "form")
    expect(page.get_by_label("Hvad er der sket?")).to_have_value("Et nyhedsbrev er sendt ud")
    expect(page.get_by_label("Nej", exact=True)).to_be_checked()
    expect(page.get_by_label("Jeg er sikker")).to_be_checked()


def test_a_password_is_never_kept(open_page: OpenPage, address: str) -> None:
    page = open_page()
    _type_a_suspicion(page, address)
    assert "hemmelig" not in page.evaluate("JSON.stringify(sessionStorage)")
    page.goto(address + "form")
    expect(page.get_by_label("Adgangskode")).to_have_value("")


def test_what_was_saved_is_not_offered_again(open_page: OpenPage, address: str) -> None:
    page = open_page()
    _type_a_suspicion(page, address)
    _Pages.answer_to_post = "saved"
    page.get_by_role("button", name="Log mistanken").click()
    expect(page.get_by_role("heading", name="Mistanken er logget")).to_be_visible()
    expect(page.locator("html.js")).to_be_attached()
    page.goto(address + "form")
    expect(page.get_by_label("Hvad er der sket?")).to_have_value("")


def test_the_summary_takes_focus_counts_and_leads_to_each_field(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.goto(address + "wrong")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("Put 2 fields right")
    page.get_by_role("alert").get_by_role("link").first.click()
    wrong = page.get_by_label("Hvornår opdagede du det?")
    expect(wrong).to_be_focused()
    assert wrong.get_attribute("aria-invalid") == "true"
    described = wrong.get_attribute("aria-describedby") or ""
    assert [page.locator(f"#{one}").count() for one in described.split()] == [1, 1, 1]


def test_a_time_is_answered_in_words_while_it_is_typed(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.goto(address + "form")
    page.get_by_label("Hvornår opdagede du det?").press_sequentially("i dag 14.30")
    expect(page.locator("#at-understood")).to_have_text("Søndag 22. november 2026 kl. 14.30, UTC+1")


def test_the_segmented_choice_is_made_with_the_arrow_keys(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.goto(address + "form")
    page.get_by_label("Ja", exact=True).focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Nej", exact=True)).to_be_checked()


def test_an_answer_is_copied_and_the_button_says_so(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(address + "form")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "Ca. 12.400"


def test_focus_is_seen_on_everything_a_key_reaches(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.goto(address + "form")
    unseen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return e === document.body || (s.outlineStyle === 'solid' && parseFloat(s.outlineWidth) >= 3)"
            " ? '' : e.outerHTML.slice(0, 80) }"
        )
        unseen += [seen] if seen else []
    assert not unseen
