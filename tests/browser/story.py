"""Nordlys on a Sunday evening: the incidents that the pictures, the pages and the journeys are shown with.

Everything is told through the services, in the order in which it happened, on a clock wound by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.deadlines import is_settled
from incident_tracker.domain.parties import Controller, PartyRole, Role
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services import accounts, attachments, clock, incidents, register, replies, reports, scope
from notifiers.protocol import Reply
from tests.delivery.world import NEVER
from tests.four_eyes import set_aside
from tests.makers import PASSWORD, PHONES, HandClock, make_actor, make_contact, make_controller

if TYPE_CHECKING:
    from incident_tracker.bootstrap import Tracker

NOW = datetime(2026, 11, 22, 18, 31, tzinfo=UTC)
AWARE = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
MAIN = "2026-0007"
MAIN_TITLE = "Kundeliste lå åbent på webserveren"
NEWSLETTER_TITLE = "Nyhedsbrev sendt med alle adresser i Cc"
RECEIPT = b"%PDF-1.7\n% a receipt as the authority's page gives it\n"
ROLES = {"Ada": Role.ADMINISTRATOR, "Ben": Role.RESPONDER, "Clara": Role.DECISION_MAKER, "Dan": Role.AUDITOR}


@dataclass
class Story:
    """A tracker with people, and the means to let things happen in it."""

    tracker: "Tracker"
    clock: HandClock
    controller: Controller
    people: dict[str, int] = field(default_factory=dict)
    box: str = "outbox"

    def actor(self, name: str) -> Actor:
        return make_actor(self.controller, ROLES[name], self.people[name])

    def at(self, day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
        """Wind the clock to a time (UTC) and let everything happen that was due until then."""
        when = datetime(2026, month, day, hour, minute, tzinfo=UTC)
        self.clock.set(when)
        self.tick()
        return when

    def tick(self) -> None:
        clock.tick(self.tracker.context, "desk")
        self.tracker.engine.drain(NEVER)

    def open(self, name: str, title: str, **facts: Any) -> str:
        facts.setdefault("what_happened", title)
        return incidents.open_incident(self.tracker.context, self.actor(name), title=title, **facts)

    def aware(self, name: str, reference: str, at: datetime | None = None, reason: str = "Set i loggen.") -> None:
        found = at or self.clock.at
        incidents.record_awareness(self.tracker.context, self.actor(name), reference, at=found, reason=reason)

    def lead(self, name: str, reference: str) -> None:
        actor = self.actor(name)
        incidents.assign_owner(self.tracker.context, actor, reference, user_id=self.people[name])

    def reply(self, text: str, phone: str = PHONES[0]) -> None:
        self.tracker.engine.receive(self.box, [Reply(phone, text, f"r{self.clock.at.timestamp()}", PHONES[1], None)])
        replies.apply(self.tracker.context)
        self.tracker.engine.drain(NEVER)

    def file(self, name: str, reference: str, *, at: datetime, complete: bool = False, late_reason: str = "") -> None:
        actor, context = self.actor(name), self.tracker.context
        kept = attachments.add(
            context, actor, reference, file_name="kvittering.pdf", plain=[RECEIPT], purpose=attachments.RECEIPT
        )
        reports.file_report(
            context,
            actor,
            reference,
            filed_at=at,
            authority_reference="0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
            journal_number="2026-441-0001",
            receipt=kept.id,
            late_reason=late_reason,
            version=1,
            complete=complete,
        )

    def settle(self, name: str, reference: str, duties: Mapping[tuple[str, str], str]) -> None:
        """Set duties aside, each for its reason."""
        for (regime, duty), reason in duties.items():
            set_aside(self.tracker.context, reference, regime, duty, reason, by=self.actor(name))


def begin(tracker: "Tracker", clock_by_hand: HandClock, box: str = "outbox") -> Story:
    """Put Nordlys, its staff and who is on call into an empty tracker."""
    context = tracker.context
    controller = make_controller(context)
    story = Story(tracker, clock_by_hand, controller, box=box)
    for name, phone in zip(("Ben", "Clara"), PHONES, strict=True):
        make_contact(context, controller, name, phone)
    for name, role in ROLES.items():
        story.people[name] = accounts.create(
            context,
            SHELL,
            name=name,
            email=f"{name.lower()}@example.dk",
            password=PASSWORD,
            grants={controller.id: role},
        )
    return story


def tell(story: Story) -> None:
    """Tell what has happened at Nordlys until Sunday evening; the picture shows 2026-0007."""
    _the_year(story)
    _the_weekend(story)
    story.clock.set(NOW)


def _assessment() -> ScopeAssessment:
    return ScopeAssessment(
        breach_types=("confidentiality",),
        confidentiality="disclosed",
        incident_types=("misconfiguration", "unintended_publication"),
        cause="internal_non_malicious",
        description="En eksport fra kundesystemet lå i en mappe, som webserveren viste frem i otte dage.",
        systems="web01",
        people_categories=("customers",),
        people_count=CountRange.read("ca. 12.400", "people_count"),
        data_types=("basic", "contact"),
        occurrence="date_range",
        begin=datetime(2026, 11, 12, 8, 0, tzinfo=UTC),
        end=datetime(2026, 11, 20, 15, 0, tzinfo=UTC),
        dates_estimated=True,
        impacts=("fraud", "loss_of_control"),
        discovered_by="external_party",
        measures_taken="Mappen blev lukket fredag kl. 18.05. Eksporten er slettet. Adgangsloggen er sikret.",
    )


def _answers(story: Story, reference: str) -> None:
    """Answer the rest of what is known about the list in the open, and carry two answers over."""
    context, clara = story.tracker.context, story.actor("Clara")
    story.at(22, 18, 12)
    attachments.add(
        context, clara, reference, file_name="adgangslog-web01.txt", plain=[b"12/Nov 09:02 GET /export/kunder.csv\n"]
    )
    for key in ("dk.police", "dk.controller_name"):
        if key == "dk.police":
            reports.revise_answer(context, clara, reference, key=key, answer="no")
        reports.tick(context, clara, reference, key=key, ticked=True)
    story.at(22, 18, 24)
    reports.revise_answer(
        context,
        clara,
        reference,
        key="dk.consequences_so_far",
        answer="Tre hentninger fra to adresser. En kunde har fået et falsk opkald om en ordre.",
    )


def _the_year(story: Story) -> None:
    """Six incidents before the weekend: closed, not a breach, too late, and one that is met but goes on."""
    promise = {("promise", "inform_parties"): "Ingen andre parter er berørt."}
    people = {("gdpr", "notify_people"): "Risikoen er lav: brevet kom uåbnet tilbage."}
    begun = story.at(2, 8, 10, month=9)
    first = story.open("Clara", "Brev lagt i forkert kuvert", place="Postrummet", ongoing="no")
    story.aware("Clara", first, begun, "Modtageren ringede selv.")
    story.file("Ada", first, at=story.at(3, 9, 0, month=9))
    story.settle("Ada", first, _running(story, first, people | promise))
    incidents.close(
        story.tracker.context, story.actor("Ada"), first, reason="Brevet er makuleret, rutinen er rettet."
    )

    story.at(14, 12, 0, month=9)
    second = story.open("Ben", "Kopimaskinen viste gamle udskrifter", place="Kopirummet")
    incidents.find_not_a_breach(
        story.tracker.context, story.actor("Ada"), second, reason="Udskrifterne var priser uden personer."
    )

    begun = story.at(1, 9, 0, month=10)
    third = story.open("Clara", "Mail til forkert kunde", place="Kundeservice", ongoing="no")
    story.aware("Clara", third, begun)
    late = story.at(4, 13, 0, month=10)
    story.file("Ada", third, at=late, late_reason="Kunden svarede først søndag, om mailen var læst.")
    story.settle("Ada", third, _running(story, third, people | promise))
    incidents.close(story.tracker.context, story.actor("Ada"), third, reason="Kunden har slettet mailen.")

    story.at(2, 7, 0, month=11)
    for title in ("Glemt papirmappe i toget", "Adgang ikke lukket efter fratrædelse"):
        one = story.open("Ben", title)
        incidents.find_not_a_breach(
            story.tracker.context, story.actor("Ada"), one, reason="Ingen personoplysninger var tilgængelige."
        )


def _running(story: Story, reference: str, reasons: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    running = [one for one, _ in register.overview(story.tracker.context, SHELL, reference).obligations]
    return {
        (one.regime, one.duty): reasons.get((one.regime, one.duty), "Pligten binder ikke her.")
        for one in running
        if not is_settled(one)
    }


def _the_weekend(story: Story) -> None:
    context = story.tracker.context
    begun = story.at(19, 13, 31)
    laptop = story.open("Clara", "Bærbar stjålet fra varevogn", place="Varevogn 3", ongoing="no")
    story.reply("OK")
    story.aware("Clara", laptop, begun, "Maskinen er meldt stjålet.")
    story.lead("Clara", laptop)

    story.at(20, 15, 10)
    main = story.open(
        "Clara",
        MAIN_TITLE,
        what_happened="En eksport fra kundesystemet lå i en mappe, som webserveren viste frem.",
        place="web01",
        ongoing="yes",
        people_estimate=CountRange.read("ca. 12.400", "people"),
    )
    story.at(20, 15, 14)
    story.reply("OK")
    story.at(20, 15, 45)
    story.aware("Ada", main, AWARE, "Listen er hentet af uvedkommende: tre hentninger i loggen.")
    story.lead("Clara", main)
    incidents.contain(
        context, story.actor("Clara"), main, at=story.at(20, 17, 5), how="Mappen blev lukket, eksporten er slettet."
    )
    story.file("Ada", laptop, at=story.at(21, 8, 30))
    incidents.meet_duty(
        context,
        story.actor("Ada"),
        laptop,
        regime="promise",
        duty="inform_parties",
        at=story.clock.at,
        how="Forsikringen og Skyhost A/S fik besked pr. brev.",
    )
    begun = story.at(21, 9, 5)
    newsletter = story.open("Ben", NEWSLETTER_TITLE, place="Nyhedsbrevssystemet")
    story.aware("Ben", newsletter, begun, "Set i den sendte mail.")
    story.lead("Ben", newsletter)
    story.reply("OK")
    story.at(21, 10, 20)
    scope.assess(context, story.actor("Clara"), main, _assessment())
    story.at(21, 15, 46)
    story.reply("OK ALLE")
    story.at(22, 15, 40)
    story.open("Ben", "Ukendt login på backup hos Skyhost", place="Backup hos Skyhost A/S", role=PartyRole.CONTROLLER)
    story.at(22, 15, 45)
    story.reply("OK ALLE")
    _answers(story, main)
    story.clock.set(NOW - timedelta(minutes=1))
    story.tick()
