"""Every page there is, in a world full of troubles: it answers, shuts nobody out, fits, and speaks one language."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from babel.messages.pofile import read_po
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect

from incident_tracker.services import incidents, outbox, people, register
from incident_tracker.web.app import create_app
from tests.browser import eyes, outside, partnership, story, telling
from tests.browser.running import carry_in, give_sign_of_life, served, tracker_at
from tests.browser.story import Story
from tests.house.translations import PO
from tests.makers import HandClock

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Language = Literal["da", "en"]
Scheme = Literal["light", "dark"]
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 900}
LONG = "Sikkerhedskopieringsnøgleopbevaringsskabet" * 3 + " blev fundet ulåst"
NAUGHTY = "<script>alert(1)</script> ' \" & %(name)s {{ 7*7 }} 🦊 '; DROP TABLE incidents; --"
NOWHERE = "/nothing/here"
NO_PAGES = re.compile(
    r"static|healthz|readyz|metrics|understood|draft\.|version-|evidence/<|agreements/<|refused\.|first-run|webhooks"
    r"|api/|colours"
)
"""What is no page: files, what machines ask, the parts that a form asks while it is typed, the first run's links."""


PUBLIC = re.compile(r"(/c/<slug>)?/(report|notice|approve|partner/)")
"""Pages without a cookie: there the address says the language."""


@dataclass(frozen=True)
class Site:
    """A world that is served, with an address of every page in it."""

    story: Story
    address: str
    pages: tuple[str, ...]


def _troubles(found: Story) -> None:
    """Add what the story lacks: overdue, long and naughty titles, and sixty incidents."""
    context = found.tracker.context
    found.at(18, 9, 0)
    late = found.open("Ben", LONG, place=NAUGHTY)
    found.aware("Ben", late, reason=NAUGHTY)
    incidents.add_note(context, found.actor("Ada"), late, text=f"{NAUGHTY}\n\n{LONG}")
    naughty = found.open("Clara", NAUGHTY)
    found.aware("Clara", naughty)
    found.file("Ada", naughty, at=found.at(18, 10, 0))
    for number in range(60):
        one = found.open("Ben", f"Mail sendt forkert, nummer {number}")
        if number % 10:
            incidents.find_not_a_breach(context, found.actor("Ada"), one, reason="Modtageren var den rette.")
    found.open("Ada", "Øvelse: løsepengevirus på filserveren", exercise=True, place="Filserveren")
    outside.tell(found, NAUGHTY, LONG)
    found.clock.set(story.NOW)
    found.tick()
    _list_of_people(found)
    telling.tell(found)


def _list_of_people(found: Story) -> None:
    """Read a list with long and naughty names and refused rows into the story's incident."""
    file = found.tracker.settings.data.dir / "kunder.csv"
    rows = [
        f"{name};p{number}@example.dk;;" for number, name in enumerate((NAUGHTY.replace(";", ","), LONG, "", "Åse"))
    ]
    file.write_text("\n".join(["navn;e-mail;telefon;sprog", *rows, "Bo;forkert;112;", "Ib;p1@example.dk;;"]), "utf-8")
    ada = found.actor("Ada")
    reference = next(
        one.reference
        for one in register.listing(found.tracker.context, ada, limit=200)
        if one.title == story.MAIN_TITLE
    )
    people.read_file(found.tracker.context, ada, reference, file=file)


def _addresses(found: Story) -> tuple[str, ...]:
    """Return an address for every page of the URL map, each incident's pages for incidents in different states."""
    context, ada = found.tracker.context, found.actor("Ada")
    references = {one.title: one.reference for one in register.listing(context, ada, limit=200)}
    main = references[story.MAIN_TITLE]
    alert = register.overview(context, ada, main).alerts[0].id
    delivery = outbox.listing(context, ada)[0].delivery.id
    values = partnership.tell(found, main, NAUGHTY, LONG) | {
        "<reference>": main,
        "<alert_id>": alert,
        "<delivery_id>": delivery,
        "<import_id>": people.imports(context, ada, main)[0].id,
        "<int:user_id>": "1",
        "<int:contact_id>": "1",
        "<int:version>": "1",
    }
    values |= eyes.values(found, main, naughty=f"{NAUGHTY}\n\n{LONG}")
    values |= outside.values(found) | telling.values(found)
    special = {
        "/incidents/<reference>/decide": references["Ukendt login på backup hos Skyhost"],
        "/incidents/<reference>/report/versions/<int:version>": references["Bærbar stjålet fra varevogn"],
        "/incidents/<reference>/reopen": references["Kopimaskinen viste gamle udskrifter"],
        "/incidents/<reference>/contain": references[story.NEWSLETTER_TITLE],
        "/incidents/<reference>/close": references["Bærbar stjålet fra varevogn"],
    }
    special |= outside.references(found) | telling.references(found)
    rules = {rule.rule for rule in create_app(found.tracker).url_map.iter_rules() if "GET" in (rule.methods or ())}
    pages = []
    for rule in sorted(rules):
        if NO_PAGES.search(rule):
            continue
        address = rule.replace("<reference>", special.get(rule, main))
        for place, value in values.items():
            address = address.replace(place, value)
        assert "<" not in address, f"a new page: say with what it is opened: {rule}"
        pages.append(f"{address}?language={{language}}" if PUBLIC.match(rule) else address)
    others = [references[title] for title in references if title in {LONG[:60], *_OTHERS}]
    pages += [f"/incidents/{one}" for one in others]
    pages += outside.further(found)
    pages += telling.further(found)
    return (*pages, "/incidents?q=findes+ikke", "/incidents?status=suspected", NOWHERE)


_OTHERS = (
    "Brev lagt i forkert kuvert",
    "Kopimaskinen viste gamle udskrifter",
    "Mail til forkert kunde",
    "Bærbar stjålet fra varevogn",
    "Ukendt login på backup hos Skyhost",
    "Øvelse: løsepengevirus på filserveren",
    NAUGHTY,
    LONG,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        clock = HandClock(datetime(2026, 8, 31, 6, 0, tzinfo=UTC))
        tracker = stack.enter_context(tracker_at(tmp_path_factory.mktemp("troubles"), clock))
        found = story.begin(tracker, clock)
        story.tell(found)
        _troubles(found)
        give_sign_of_life(tracker)
        yield Site(found, stack.enter_context(served(tracker)), _addresses(found))


@dataclass
class Walk:
    """What was found on a walk through every page."""

    unanswered: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    shut_out: list[str] = field(default_factory=list)
    too_wide: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    loud: list[str] = field(default_factory=list)


class Walks:
    """Walks through the site in two languages and two schemes, each taken once."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser = browser
        self._site = site
        self._taken: dict[tuple[Language, Scheme], Walk] = {}

    def take(self, language: Language, scheme: Scheme) -> Walk:
        if (language, scheme) not in self._taken:
            self._taken[language, scheme] = self._walk(language, scheme)
        return self._taken[language, scheme]

    def _walk(self, language: Language, scheme: Scheme) -> Walk:
        walk, site = Walk(), self._site
        with _ada(self._browser, site, language, scheme, walk.complaints) as page:
            foreign = _sentences(language)
            for number, place in enumerate(site.pages):
                phone = (number + (language == "en") + (scheme == "dark")) % 2
                page.set_viewport_size(PHONE if phone else DESK)
                answer = page.goto(site.address + place.format(language=language))
                if answer is None or answer.status != (404 if place == NOWHERE else 200):
                    walk.unanswered.append(f"{place}: {answer and answer.status}")
                before = len(walk.complaints)
                walk.shut_out += _violations(page)
                del walk.complaints[before:]  # axe writes styles of its own
                if scheme == "light":
                    walk.too_wide += _too_wide(page)
                    walk.foreign += _foreign(page, foreign)
                    walk.loud += _loud(page)
        return walk


@pytest.fixture(scope="module")
def walks(browser: Browser, site: Site) -> Walks:
    return Walks(browser, site)


@contextmanager
def _ada(browser: Browser, site: Site, language: Language, scheme: Scheme, complaints: list[str]) -> Iterator[Page]:
    """Give a page on which Ada is signed in; what the browser complains about is collected."""
    context = browser.new_context(
        viewport=DESK, color_scheme=scheme, timezone_id="Europe/Copenhagen", reduced_motion="reduce"
    )
    context.set_default_timeout(20_000)
    carry_in(context, site.story.tracker, site.address, site.story.people["Ada"])
    page = context.new_page()

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and NOWHERE not in page.url:
            complaints.append(f"{page.url}: {message.text}")

    page.goto(f"{site.address}/on-call?language={language}")
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("console", hear)
    yield page
    context.close()


def _violations(page: Page) -> list[str]:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{page.url} {one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


def _too_wide(page: Page) -> list[str]:
    """Measure at 320 px, on a phone, at 200 % zoom of a desk (720 px), and on a desk."""
    wide = []
    for pixels in (320, 390, 720, 1440):
        page.set_viewport_size({"width": pixels, "height": 800})
        reached = page.evaluate("document.documentElement.scrollWidth")
        wide += [f"{page.url}: {reached} at {pixels}"] if reached > pixels else []
    return wide


def _foreign(page: Page, sentences: tuple[frozenset[str], list[re.Pattern[str]]]) -> list[str]:
    whole, patterns = sentences
    return [
        f"{page.url}: {text}"
        for text in sorted(set(page.evaluate(_TEXTS)))
        if text in whole or text.rstrip(":.") in whole or any(one.fullmatch(text) for one in patterns)
    ]


def _loud(page: Page) -> list[str]:
    counts = {name: page.locator(f"{name}:visible").count() for name in ("h1", ".button-primary")}
    quiet = counts["h1"] == 1 and counts[".button-primary"] <= 1 and page.title().strip()
    return [] if quiet else [f"{page.url}: {counts} {page.title()!r}"]


_TEXTS = """() => {
  const typed = "script, style, [lang]:not(html), pre, textarea, h1, .question-answer, .message-text, .lane-title";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const text = node.textContent.trim().replace(/\\s+/g, " ");
    if (text && !node.parentElement.closest(typed)) found.push(text);
  }
  for (const one of document.querySelectorAll("[aria-label], [placeholder], [title]"))
    found.push(...["aria-label", "placeholder", "title"].map((name) => one.getAttribute(name)).filter(Boolean));
  return found;
}"""


def _sentences(language: Language) -> tuple[frozenset[str], list[re.Pattern[str]]]:
    """Return what must not stand on a page in this language: the other one's words, whole and with places."""
    whole, patterns = set(), []
    with PO.open("rb") as file:
        catalog = read_po(file, locale="da", domain="messages")
    ours: set[str] = set()
    for message in catalog:
        foreign, own = (message.id, message.string) if language == "da" else (message.string, message.id)
        ours.update(_forms(own))
        for text in _forms(foreign):
            if "%(" not in text:
                whole.add(text)
            elif len(re.sub(r"%\(\w+\)s", "", text).split()) > 2:
                patterns.append(re.compile(re.sub(r"%\\\(\w+\\\)s", ".+?", re.escape(text))))
    return frozenset(whole - ours), patterns


def _forms(text: object) -> list[str]:
    """Return singular and plural of a message, without what is empty."""
    return [str(one) for one in (text if isinstance(text, tuple) else (text,)) if one]


LANGUAGES: tuple[Language, ...] = ("da", "en")
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_answers_and_the_browser_has_no_complaint(
    walks: Walks, language: Language, scheme: Scheme
) -> None:
    walk = walks.take(language, scheme)
    assert (walk.unanswered, walk.complaints) == ([], [])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_any_page(walks: Walks, language: Language, scheme: Scheme) -> None:
    assert walks.take(language, scheme).shut_out == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_scrolls_sideways(walks: Walks, language: Language) -> None:
    assert walks.take(language, "light").too_wide == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_speaks_one_language(walks: Walks, language: Language) -> None:
    assert walks.take(language, "light").foreign == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_has_one_heading_and_at_most_one_primary_button(walks: Walks, language: Language) -> None:
    assert walks.take(language, "light").loud == []


def test_an_empty_tracker_says_what_will_be_there_and_offers_the_first_act(browser: Browser, tmp_path: Path) -> None:
    clock = HandClock()
    with tracker_at(tmp_path, clock) as tracker, served(tracker) as address:
        empty = Site(story.begin(tracker, clock), address, ())
        with _ada(browser, empty, "da", "light", []) as page:
            for place, said in (
                ("/", "Når nogen logger en mistanke, ligger den her"),
                ("/incidents", "Alle mistanker, der bliver logget"),
                ("/outbox", "Når en alarm går ud"),
            ):
                page.goto(address + place)
                expect(page.locator("main")).to_contain_text(said)
                assert (_violations(page), _loud(page)) == ([], [])


def test_the_keyboard_alone_logs_a_suspicion(browser: Browser, site: Site) -> None:
    with _ada(browser, site, "da", "light", []) as page:
        page.goto(f"{site.address}/incidents/new")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Gå til indholdet")).to_be_focused()
        page.keyboard.press("Enter")
        for name, typed in (
            ("what_happened", "Et brev lå på gaden. Det var åbnet."),
            ("detected_at", "nu"),
            ("where", "Foran kontoret"),
        ):
            _step_to(page, f"#{name}")
            page.keyboard.press("Control+A")
            page.keyboard.type(typed)
        _step_to(page, "[name=ongoing]:checked")
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_label("Nej", exact=True)).to_be_checked()
        _step_to(page, "#people")
        page.keyboard.type("1")
        _step_to(page, "main button.button-primary")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Et brev lå på gaden")).to_be_visible()
        expect(page.locator(".banner-said")).to_be_visible()


def _step_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, and see that the focus can be seen at every step."""
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.locator("*:focus")
        shown = focused.evaluate(
            "one => [one, one.closest('label'), one.nextElementSibling].some("
            "(part) => part && getComputedStyle(part).outlineStyle !== 'none')"
        )
        assert shown, f"no focus to be seen on {focused.evaluate('one => one.outerHTML.slice(0, 120)')}"
        if focused.evaluate("(one, selector) => one.matches(selector)", selector):
            return
    pytest.fail(f"the keyboard does not reach {selector}")
