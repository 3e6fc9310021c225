"""The world of the journeys: Nordlys with people on call, a clock wound by hand, and Twilio's stand-in over HTTP.

Everything between is the product itself, put together by `bootstrap.build` from settings as an owner writes them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from incident_tracker import bootstrap
from incident_tracker.bootstrap import Tracker
from incident_tracker.cli import shapes
from incident_tracker.domain.access import Actor
from incident_tracker.domain.parties import Controller, OnCallContact, Role
from incident_tracker.services import alerts, calling, clock, incidents, journal, register, replies, reports
from incident_tracker.services.context import Context
from incident_tracker.store import journal as journal_rows
from incident_tracker.store.reports import Frozen
from notifiers.testing import ScriptedProvider
from notifiers.testing.provider import ACCOUNT_SID, AUTH_TOKEN
from tests.delivery.world import NEVER
from tests.four_eyes import set_aside
from tests.makers import PHONES, HandClock, make_actor, make_contact, make_controller, make_settings

BEN, CLARA = PHONES
DK = ZoneInfo("Europe/Copenhagen")
PUBLIC_URL = "https://brud.example.dk"

Heard = tuple[str, str, str]
"""When (Danish time), to whom, what."""


def dk(text: str) -> datetime:
    """Return the instant that a clock on a Danish wall shows: `2026-11-20 16:45`."""
    return datetime.fromisoformat(text).replace(tzinfo=DK).astimezone(UTC)


def hours_after(at: datetime, *hours: float) -> list[str]:
    """Return the Danish times so many elapsed hours after an instant, as `heard` gives them."""
    return [wall(at + timedelta(hours=count)) for count in hours]


def wall(at: datetime) -> str:
    """Return an instant as the wall shows it, with its offset, since an October night has 02.30 twice."""
    return at.astimezone(DK).strftime("%a %d %b %H:%M %z")


@dataclass
class World:
    """Nothing happens by itself: `beat` is one round of the clock and the outbox, `walk` lets time pass in rounds."""

    tracker: Tracker
    clock: HandClock
    provider: ScriptedProvider
    controller: Controller
    contacts: list[OnCallContact] = field(default_factory=list)
    node: str = "desk"

    @property
    def context(self) -> Context:
        return self.tracker.context

    def actor(self, role: Role) -> Actor:
        return make_actor(self.controller, role)

    @property
    def staff(self) -> Actor:
        """Somebody who may log a suspicion, and nothing else."""
        return self.actor(Role.REPORTER)

    @property
    def clara(self) -> Actor:
        return self.actor(Role.RESPONDER)

    @property
    def ada(self) -> Actor:
        return self.actor(Role.DECISION_MAKER)

    def log(self, title: str, **facts: Any) -> str:
        """Let staff log a suspicion; return its reference."""
        return incidents.open_incident(self.context, facts.pop("actor", self.staff), title=title, **facts)

    def confirm(self, reference: str, at: datetime | None = None, reason: str = "Set i loggen.") -> None:
        """Let the responder decide that it is a breach, known since `at`."""
        incidents.record_awareness(self.context, self.clara, reference, at=at or self.clock(), reason=reason)

    def beat(self, *, asking: bool = True) -> list[Heard]:
        """Let clock and outbox do one round as a node does them; return what arrived at the provider meanwhile.

        With `asking` the provider is asked for states and replies too, as a node does every few seconds.
        """
        before = len(self.provider.sms)
        if asking:
            called_back = self.context.settings.server.is_https
            self.tracker.engine.poll(replies=not called_back and alerts.any_open(self.context))
        replies.apply(self.context)
        clock.tick(self.context, self.node)
        self.tracker.engine.drain(NEVER)
        self.tracker.engine.sweep()
        return self._heard(before)

    def wind(self, **length: float) -> list[Heard]:
        """Wind the clock on at once, then do one round: what stands between was an outage."""
        self.clock.advance(**length)
        return self.beat()

    def walk(
        self, to: datetime, minutes: float = 60, each: Callable[[list[Heard]], object] = lambda _: None
    ) -> list[Heard]:
        """Let time pass in rounds of so many minutes up to an instant; `each` sees what every round brought.

        A round in which nothing is due and nobody is waited for is a tick and no more.
        """
        heard: list[Heard] = []
        while self.clock() < to:
            self.clock.set(min(to, self.clock() + timedelta(minutes=minutes)))
            idle = clock.tick(self.context, self.node) == 0 and not alerts.any_open(self.context)
            new = [] if idle else self.beat(asking=False)
            heard += new
            each(new)
        return heard

    def walk_taking(self, to: datetime, minutes: float = 60) -> list[Heard]:
        """Let time pass while whoever is told takes the alert on its page at once; return the alerts that arrived."""
        return self.walk(to, minutes, each=lambda _: self.take_on_page())

    def take_on_page(self) -> None:
        """Let the responder take everything that is open, signed in."""
        for _, reference in calling.open_alerts(self.context, self.clara):
            alerts.acknowledge(self.context, self.clara, reference, via="page")

    def take(self, heard: list[Heard]) -> list[str]:
        """Let everybody who was told something answer OK; return what they got back."""
        answers = []
        for phone in dict.fromkeys(phone for _, phone, _ in heard):
            self.writes(phone, "OK")
            answers += [text for _, _, text in self.beat()]
        return answers

    def writes(self, phone: str, text: str) -> None:
        """Let somebody on call write an SMS to us; the provider has it, we do not yet."""
        self.provider.write_to_us(phone, CLARA, text)

    def heard(self, phone: str | None = None) -> list[Heard]:
        """Return every SMS that the provider took from us."""
        return [one for one in self._heard(0) if phone in (None, one[1])]

    def _heard(self, before: int) -> list[Heard]:
        found = [one for one in self.provider.sms[before:] if one.direction != "inbound"]
        return [(wall(datetime.fromtimestamp(one.epoch, UTC)), one.to, one.body) for one in found]

    def restart(self) -> None:
        """Stop the tracker as a power cut does, and put it together again on the same database."""
        settings = self.tracker.settings
        self.tracker.close()
        self.tracker = bootstrap.build(settings, now=self.clock)

    def shown(self, reference: str) -> dict[str, Any]:
        """Return the incident as scripts read it (`incident show --json`)."""
        return shapes.incident(register.overview(self.context, self.ada, reference))

    def duty(self, reference: str, duty: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.shown(reference)["obligations"] if one["duty"] == duty)
        return found

    def standing(self, reference: str, duty: str) -> str:
        return str(self.duty(reference, duty)["standing"])

    def standings(self, reference: str) -> dict[str, str]:
        return {one["duty"]: one["standing"] for one in self.shown(reference)["obligations"]}

    def journal(self, reference: str) -> list[journal_rows.Record]:
        return list(register.history(self.context, self.ada, reference))

    def kinds(self, reference: str) -> list[str]:
        return [one.kind for one in self.journal(reference)]

    def set_aside(self, reference: str, *duties: str, reason: str = "Disken er krypteret.") -> None:
        """Let the decision-maker set duties aside: `gdpr.notify_people`, `promise.inform_parties`."""
        for regime, _, duty in (name.partition(".") for name in duties):
            set_aside(self.context, reference, regime, duty, reason, by=self.ada)

    def file(self, reference: str, at: datetime | None = None, **facts: Any) -> Frozen:
        """Let the responder record that the report was filed by hand on the authority's page."""
        number = "2ca746503d826e268cbc6d6f23c1543aa7b67c1d"
        values: dict[str, Any] = {"version": 1, "no_receipt_reason": "Virk viste ingen kvittering."} | facts
        return reports.file_report(
            self.context, self.clara, reference, filed_at=at or self.clock(), authority_reference=number, **values
        )

    def journal_is_whole(self) -> bool:
        return journal.verify(self.context).result == "ok"

    def close(self) -> None:
        self.tracker.close()


def make_world(
    folder: Path, database_url: str, provider: ScriptedProvider, hand: HandClock, public_url: str = ""
) -> World:
    """Put Nordlys into a migrated database whose files lie in `folder`, Ben on call and Clara after him."""
    server = {"server": {"public_url": public_url}} if public_url else {}
    settings = make_settings(
        folder,
        database_url,
        data={"dir": folder},
        routing={"sms": ["twilio_sms"]},
        notifiers={
            "twilio_sms": {
                "account_sid": ACCOUNT_SID,
                "auth_token": AUTH_TOKEN,
                "from_number": CLARA,
                "api_base": provider.address,
            }
        },
        **server,
    )
    bootstrap.make_master_key(settings)
    tracker = bootstrap.build(settings, now=hand)
    world = World(tracker, hand, provider, make_controller(tracker.context))
    for name, phone in (("Ben", BEN), ("Clara", CLARA)):
        world.contacts.append(make_contact(world.context, world.controller, name, phone))
    return world
