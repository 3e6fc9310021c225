"""Journey 6: a list becomes a notice in two languages, tried, approved, sent, paused, sent on, told by SMS."""

import email
import email.policy
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from incident_tracker.domain.access import SHELL
from incident_tracker.scheduler.clock import Clock
from incident_tracker.services import notices, people, register
from notifiers.outbox import OutboxNotifier
from notifiers.protocol import Channel, Deadline, Message, NotSent, Outcome, RefusalKind, Refused
from tests.browser import story, telling
from tests.browser.conftest import OpenPage
from tests.browser.running import served
from tests.browser.story import Story
from tests.makers import PASSWORD, HandClock, make_tracker
from tests.notices import TICKS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SIZE = 160
GONE = "person5@example.org"
BEFORE_THE_GATE = 12
"""Mails that leave before the box is held shut; what its threads have in hand then still leaves after a pause."""


class Postbox(OutboxNotifier):
    """A carrier whose messages count as sent; they lie in files, so that a test can open them."""

    name = "postbox"


class Box(Postbox):
    """A postbox that knows one address not to exist, and holds the mails of a notice back at a gate."""

    max_batch = 5

    def __init__(self, folder: Path, channel: Channel) -> None:
        super().__init__(folder, channel)
        self.gate = threading.Event()
        self.through = 0

    def send(self, messages: Sequence[Message], deadline: Deadline) -> Iterator[Outcome]:
        for message in messages:
            if message.address.endswith("@example.org"):
                if message.address == GONE:
                    yield Refused(message.attempt, RefusalKind.ADDRESS, "the mailbox does not exist", "550")
                    continue
                if self.through >= BEFORE_THE_GATE and not self._opened(deadline):
                    yield NotSent(message.attempt, "time ran out before it was tried")
                    continue
                self.through += 1
            yield from super().send([message], deadline)

    def _opened(self, deadline: Deadline) -> bool:
        while not self.gate.wait(0.05):
            if deadline.passed():
                return False
        return True


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "data" / "outbox", Channel.EMAIL)


@pytest.fixture
def nordlys(tmp_path: Path, box: Box) -> Iterator[Story]:
    """Nordlys on Friday evening, with a breach, a clock that ticks and an outbox that sends."""
    clock = HandClock(datetime(2026, 11, 20, 15, 45, tzinfo=UTC))
    sms = Postbox(tmp_path / "data" / "outbox", Channel.SMS)
    carriers = {("postbox", Channel.EMAIL): box, ("postbox", Channel.SMS): sms}
    routes = {"email": ["postbox"], "sms": ["postbox"]}
    tracker = make_tracker(tmp_path, clock, notifiers=carriers, routing=routes)
    found = story.begin(tracker, clock)
    reference = found.open("Clara", "Kundeliste lå åbent på webserveren", place="web01")
    found.aware("Clara", reference)
    running = Clock(tracker)
    running.start()
    yield found
    box.gate.set()
    assert running.stop()
    tracker.close()


@pytest.fixture
def address(nordlys: Story) -> Iterator[str]:
    with served(nordlys.tracker) as found:
        yield found


REFERENCE = "2026-0001"


def _sign_in(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/sign-in")
    page.get_by_label("E-mail").fill(f"{name}@example.dk")
    page.get_by_label("Adgangskode").fill(PASSWORD)
    page.locator("button.button-primary").click()
    expect(page.locator("h1")).to_be_visible()


def _until(page: Page, true: Callable[[], bool]) -> None:
    """Wait until something is so; the pages are left alone meanwhile."""
    for _ in range(120):
        if true():
            return
        page.wait_for_timeout(250)
    pytest.fail("it did not come so")


def _read_the_list(page: Page, nordlys: Story, address: str) -> None:
    page.goto(f"{address}/incidents/{REFERENCE}/people")
    listed = {"name": "kunder.csv", "mimeType": "text/csv", "buffer": telling.listed(SIZE)}
    page.locator("input[type=file]").set_input_files(listed)  # type: ignore[arg-type]
    page.locator("main button.button-primary").click()
    context = nordlys.tracker.context
    _until(page, lambda: people.count(context, nordlys.actor("Ben"), REFERENCE) == SIZE)
    page.goto(f"{address}/incidents/{REFERENCE}/people")
    expect(page.locator("main")).to_contain_text("Jørgen Æbeltoft A.")


def _write(page: Page) -> None:
    page.get_by_role("link", name="Underretning", exact=True).first.click()
    page.get_by_role("link", name="Skriv underretningen").click()
    expect(page.locator("#body_da")).to_have_value(re.compile(r"## Hvad er der sket\?"))
    for language, text in telling.TEXTS.items():
        page.locator(f"#subject_{language}").fill(text.subject)
        page.locator(f"#body_{language}").fill(text.body)
    page.locator("#sms_da").fill("Nordlys: vigtigt om dine oplysninger. Ref. {{reference}}. {{contact}}")
    page.locator("input[name=channels][value=sms]").check()
    page.locator("main button.button-primary").click()
    expect(page.locator(".letter")).to_contain_text("Du er berørt af et brud på persondatasikkerheden")
    expect(page.locator(".notice-who .figure")).to_have_text(str(SIZE))


def _try_it(page: Page, folder: Path) -> None:
    page.get_by_role("button", name="Send den til mig").click()
    expect(page.locator(".banner-said")).to_be_visible()
    _until(page, lambda: len(_mails(folder, "ben@example.dk")) == 2)
    danish, english = sorted(_mails(folder, "ben@example.dk"), key=lambda one: str(one["Content-Language"]))
    for mail, said in ((danish, "Kære Ben"), (english, "Dear Ben")):
        plain, rich = (mail.get_body((kind,)) for kind in ("plain", "html"))
        assert plain is not None
        assert rich is not None
        text, html = plain.get_content(), rich.get_content()
        assert said in text
        assert said in html
        assert re.search(r"Referenc?e: [A-Z2-9]{4}-[A-Z2-9]{4}", text)
        assert "Ada, ada@example.dk" in text
        for trap in ("<img", "<a ", "href", "src=", "http:", "https:", "{{"):
            assert trap not in html, trap
        assert not list(mail.iter_attachments())
    assert str(danish["Subject"]).endswith(telling.DANISH.subject)
    assert str(danish["Subject"]) != telling.DANISH.subject, "a test says that it is one"


def _mails(folder: Path, to: str) -> list[EmailMessage]:
    found = [
        email.message_from_bytes(one.read_bytes(), policy=email.policy.default)
        for one in sorted(folder.glob("*.eml"))
    ]
    return [one for one in found if isinstance(one, EmailMessage) and one["To"] == to]


def _hand_over(page: Page) -> None:
    for one in TICKS:
        tick = page.locator(f"#tick-{one}")
        if tick.count():
            tick.check()
    page.get_by_role("button", name="Bed om godkendelse").click()
    expect(page.locator("main")).to_contain_text("Venter på et andet par øjne.")


def _approve(page: Page, address: str) -> None:
    _sign_in(page, address, "clara")
    page.goto(f"{address}/incidents/{REFERENCE}/notices/1")
    page.get_by_role("link", name="Gå til godkendelsen").click()
    expect(page.locator("main")).to_contain_text(telling.DANISH.subject)
    page.locator("main button.button-primary").click()
    expect(page.locator(".banner-said")).to_be_visible()


def _told(page: Page) -> int:
    return int(page.locator("#told .figure").inner_text())


def test_a_list_becomes_a_notice_that_everybody_gets(
    open_page: OpenPage, nordlys: Story, box: Box, address: str, tmp_path: Path
) -> None:
    context = nordlys.tracker.context
    ben = open_page()
    _sign_in(ben, address, "ben")
    _read_the_list(ben, nordlys, address)
    _write(ben)
    _try_it(ben, tmp_path / "data" / "outbox")
    _hand_over(ben)
    clara = open_page()
    _approve(clara, address)

    ben.reload()
    ben.get_by_role("button", name=f"Send den til {SIZE} personer").click()
    expect(ben.get_by_role("button", name="Sæt på pause")).to_be_visible()
    _until(ben, lambda: _told(ben) >= BEFORE_THE_GATE)
    assert _told(ben) < SIZE
    expect(ben.locator(".progress-numbers")).to_contain_text("venter")
    ben.get_by_role("button", name="Sæt på pause").click()
    expect(ben.get_by_role("button", name="Fortsæt sendingen")).to_be_visible()
    box.gate.set()
    notice = notices.of_incident(context, SHELL, REFERENCE)[0]
    _until(ben, lambda: notices.status(context, SHELL, notice.id).counts["sending"] == 0)
    standing = notices.status(context, SHELL, notice.id).counts["pending"]
    assert standing > 0, "what was not under way when it was paused waits"
    ben.reload()
    expect(ben.locator("#told")).to_contain_text(f"af {SIZE} har fået besked")

    ben.get_by_role("button", name="Fortsæt sendingen").click()
    expect(ben.locator(".sending-rest")).to_contain_text("Færdig")
    assert _told(ben) == SIZE - 1
    expect(ben.locator("main")).to_contain_text("1 nåede ikke frem.")
    ben.get_by_role("link", name="Se hvorfor").click()
    expect(ben.locator("#ledger tbody tr")).to_have_count(1)
    expect(ben.locator("#ledger tbody")).to_contain_text("(550)")
    nordlys.clock.advance(minutes=5)
    ben.locator("#tell-again summary").click()
    ben.get_by_role("button", name="Giv dem besked på sms").click()
    expect(ben.locator(".banner-said")).to_contain_text("1 person får besked")
    expect(ben.locator("#told .figure")).to_have_text(str(SIZE))
    expect(ben.locator(".sending-rest")).to_contain_text("Færdig")

    ben.goto(f"{address}/incidents/{REFERENCE}/notices/1?state=failed")
    ben.locator("#ledger tbody a").first.click()
    rows = ben.locator("main tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("mislykket")
    expect(rows.last).to_contain_text("sms")

    met = {one.duty for one, stands in register.overview(context, SHELL, REFERENCE).obligations if stands == "met"}
    assert {"notify_people", "inform_parties"} <= met
    ben.goto(f"{address}/incidents/{REFERENCE}")
    expect(ben.locator(".duties .is-met").first).to_be_visible()
    expect(ben.locator(".tabs")).to_contain_text("Underretning")
    mails = [one for one in (tmp_path / "data" / "outbox").glob("*.eml") if b"@example.org" in one.read_bytes()]
    assert len({email.message_from_bytes(one.read_bytes())["To"] for one in mails}) == len(mails), "nobody twice"


def test_a_sending_is_steered_without_javascript(open_page: OpenPage, nordlys: Story, box: Box, address: str) -> None:
    telling.read_people(nordlys, REFERENCE, SIZE)
    telling.approved(nordlys, REFERENCE)
    page = open_page(width="phone", scripts=False)
    _sign_in(page, address, "clara")
    page.goto(f"{address}/incidents/{REFERENCE}/notices/1")
    page.get_by_role("button", name=f"Send den til {SIZE} personer").click()
    page.get_by_role("button", name="Sæt på pause").click()
    expect(page.locator(".sending-rest")).to_contain_text("Sat på pause")
    page.get_by_role("link", name="Stop ...").click()
    page.get_by_label("Begrundelse").fill("Teksten nævnte den forkerte dato.")
    page.get_by_label("Skriv referencen").fill(REFERENCE)
    page.get_by_role("button", name="Stop sendingen").click()
    expect(page.locator(".sending-rest")).to_contain_text("Stoppet for altid")
    assert not box.gate.is_set()
    counts = notices.status(nordlys.tracker.context, SHELL, 1).counts
    assert counts["cancelled"] > 0
