"""What the board shows: the nearest deadline, and every open incident on one axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from babel.dates import format_date
from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker.domain import escalation
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.deadlines import Obligation, Standing, is_settled
from incident_tracker.domain.periods import zone_of
from incident_tracker.services import calling, next_step, register
from incident_tracker.services.context import Context
from incident_tracker.services.obligations import rule_of
from incident_tracker.services.register import Listed, Tally
from incident_tracker.web import current, words
from incident_tracker.web.drawing.dial import Dial, dial
from incident_tracker.web.drawing.ring import Ring, ring
from incident_tracker.web.drawing.strip import Axis, Strip, axis, strip
from incident_tracker.web.heading import drawing_facts, weight
from incident_tracker.web.incidents.listing import owners
from incident_tracker.web.incidents.view import Speaking, speaking_of
from incident_tracker.web.steps import StepWords, in_words, missing_sentence, step_words

Duties = Sequence[tuple[Obligation, Standing]]
MOST = 100
"""So many incidents with a deadline, and as many without, are drawn; the page says how many more there are."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One incident on the board."""

    reference: str
    url: str
    title: str
    meta: str
    state: str
    ring: Ring
    dial: Dial
    strip: Strip
    note: str
    undecided: bool


@dataclass(frozen=True, slots=True)
class Top:
    """The incident that comes first: its dial, its date, its next step."""

    reference: str
    url: str
    title: str
    state: str
    speaking: Speaking
    over: str
    sentence: str
    date: str
    more: str
    words: StepWords
    may_step: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """An alert that nobody has taken."""

    url: str
    reference: str


@dataclass(frozen=True, slots=True)
class Board:
    """The whole board."""

    top: Top | None
    lanes: list[Lane]
    axis: Axis
    now_text: str
    summary: str
    open: int
    left_out: str
    alerts: list[Waiting]


def board(context: Context, actor: Actor) -> Board:
    """Return the board of everything that this person may read."""
    now, zone = context.now(), current.zone()
    found = _ordered(register.board(context, actor, MOST))
    shared = _axis(found, now, zone)
    names = owners(context, actor, [one for one, _duties in found])
    lanes = [_lane(one, duties, shared, names, zone) for one, duties in found]
    counted = register.tally(context, actor, zone)
    waiting = {reference: alert.id for alert, reference in calling.open_alerts(context, actor)}
    return Board(
        top=_top(context, actor, found[0][0]) if found else None,
        lanes=lanes,
        axis=shared,
        now_text=_("now %(time)s", time=words.moment(now, zone, "time")),
        summary=_summary(counted),
        open=counted.open,
        left_out=_left_out(counted.open - len(lanes)),
        alerts=[Waiting(f"/alerts/{alert_id}", reference) for reference, alert_id in sorted(waiting.items())],
    )


def speaking_duty(duties: Duties) -> tuple[Obligation, Standing] | None:
    """Return the duty that a lane shows: the nearest running deadline, else the first by weight."""
    running = [pair for pair in duties if pair[0].due_at is not None and not is_settled(pair[0])]
    if running:
        return min(running, key=lambda pair: (pair[0].due_at, weight(pair[0].duty)))
    by_weight = sorted(duties, key=lambda pair: (is_settled(pair[0]), weight(pair[0].duty)))
    open_one = next((pair for pair in by_weight if pair[0].duty == "assess" and not is_settled(pair[0])), None)
    settled = next((pair for pair in duties if pair[0].duty == "notify_authority"), None)
    return open_one or settled or next(iter(by_weight), None)


def _is_undecided(duties: Duties) -> bool:
    return any(one.duty == "assess" and not is_settled(one) for one, _stands in duties)


def _ordered(found: list[tuple[Listed, list[tuple[Obligation, Standing]]]]) -> list[tuple[Listed, Duties]]:
    """Put the nearest deadline first, then what nobody has decided, then the rest by time left."""
    dated = [pair for pair in found if pair[0].next_due_at is not None]
    undecided = [pair for pair in found if pair[0].next_due_at is None and _is_undecided(pair[1])]
    rest = [pair for pair in found if pair[0].next_due_at is None and not _is_undecided(pair[1])]
    undecided.sort(key=lambda pair: pair[0].detected_at)
    return [*dated[:1], *undecided, *dated[1:], *rest]


def _axis(found: Sequence[tuple[Listed, Duties]], now: datetime, zone: str) -> Axis:
    starts, dues = [], []
    for _one, duties in found:
        pair = speaking_duty(duties)
        if pair is None or pair[0].due_at is None or is_settled(pair[0]):
            continue  # what is over, or without a deadline, stretches the axis for nobody
        starts.append(pair[0].anchor_at or now)
        dues.append(pair[0].due_at)
    locale = {"da": "da_DK", "en": "en_GB"}[current.language()]

    def day_text(day: date) -> str:
        name = str(format_date(day, "EEE", locale=locale))[:3]
        return f"{name} {day.day}." if locale == "da_DK" else f"{name} {day.day}"

    return axis(starts=starts, dues=dues, now=now, zone=zone_of(zone), day_text=day_text)


def _lane(one: Listed, duties: Duties, shared: Axis, names: dict[int, str], zone: str) -> Lane:
    pair = speaking_duty(duties)
    facts: dict[str, Any] = {"state": "suspected", "now": shared.now, "start": one.detected_at}
    if pair is not None:
        facts = drawing_facts(pair[0], pair[1], shared.now)
    facts["start"] = facts.get("start") or one.detected_at
    asks = _asks(pair[0], shared) if pair is not None and facts["state"] == "suspected" else ()
    drawn = {name: value for name, value in facts.items() if name != "now"}
    who = names.get(one.owner_id or 0, "") or _("nobody yet")
    exercise = f" · {_('Exercise')}" if one.exercise else ""
    return Lane(
        reference=one.reference,
        url=f"/incidents/{one.reference}",
        title=one.title,
        meta=f"{one.reference} · {who}{exercise}",
        state=facts["state"],
        ring=ring(**facts),
        dial=dial(**facts),
        strip=strip(shared, asks=asks, **drawn),
        note=_note(one, pair, shared.now, zone),
        undecided=_is_undecided(duties),
    )


def _asks(duty: Obligation, shared: Axis) -> Sequence[datetime]:
    """Return when an undecided suspicion will be asked about, as far as the axis shows."""
    rule = rule_of(current.context(), duty)
    return () if rule is None else escalation.asks_between(duty, rule, shared.now, shared.end)


def _note(one: Listed, pair: tuple[Obligation, Standing] | None, now: datetime, zone: str) -> str:
    if pair is None or (pair[0].duty == "assess" and not is_settled(pair[0])):
        return str(_("Detected %(time)s ago", time=words.span(now - one.detected_at)))
    duty = pair[0]
    if duty.met_at is not None and duty.due_at is not None:
        early = duty.due_at - duty.met_at
        if early >= timedelta():
            return str(_("met %(time)s before the deadline", time=words.span(early)))
        return str(_("met %(time)s after the deadline", time=words.span(-early)))
    if duty.due_at is not None:
        return words.moment(duty.due_at, zone, "short")
    return words.duty_title(duty.duty)


def _top(context: Context, actor: Actor, first: Listed) -> Top:
    overview = register.overview(context, actor, first.reference)
    spoken = speaking_of(overview)
    step = next_step.of_overview(context, actor, overview)
    said = step_words(step, first.reference)
    pair = speaking_duty(overview.obligations)
    state = spoken.state if spoken is not None else "suspected"
    if spoken is None:
        drawn = dial(state="suspected", now=overview.now, start=first.detected_at)
        spoken = Speaking("suspected", drawn, "", "", "", "")
    zone = overview.controller.time_zone
    due = pair[0].due_at if pair is not None and not is_settled(pair[0]) else None
    sentence = ""
    if pair is not None and due is not None:
        late = pair[1] is Standing.OVERDUE
        sentence = words.overdue_sentence(pair[0].duty) if late else words.due_sentence(pair[0].duty)
    elif state == "suspected":
        sentence = _("Nobody has decided yet whether it is a breach. The 72 hours begin when you are aware of one.")
    return Top(
        reference=first.reference,
        url=f"/incidents/{first.reference}",
        title=first.title,
        state=state,
        speaking=spoken,
        over=_over(pair),
        sentence=sentence,
        date="" if due is None else words.moment(due, zone, "full"),
        more=missing_sentence(step) or words.capital(said.sentence),
        words=said,
        may_step=bool(said.button) and actor.may(said.act, overview.controller.id),
    )


def _over(pair: tuple[Obligation, Standing] | None) -> str:
    if pair is None or pair[0].due_at is None:
        return str(_("Next to decide"))
    return str(_("Deadline passed") if pair[1] is Standing.OVERDUE else _("Next deadline"))


def _left_out(count: int) -> str:
    if count <= 0:
        return ""
    return str(
        ngettext(
            "%(count)s more open incident is not shown here.",
            "%(count)s more open incidents are not shown here.",
            count,
            count=count,
        )
    )


def _summary(counted: Tally) -> str:
    """Return the board in one line: what is overdue, what falls due today and tomorrow, what waits for a decision."""
    overdue, due_today, tomorrow = counted.overdue, counted.today, counted.tomorrow
    undecided = counted.suspected
    told = [
        (
            overdue,
            ngettext(
                "%(count)s deadline has passed.",
                "%(count)s deadlines have passed.",
                overdue,
                count=in_words(overdue, of_a_deadline=True),
            ),
        ),
        (
            due_today,
            ngettext(
                "%(count)s deadline today.",
                "%(count)s deadlines today.",
                due_today,
                count=in_words(due_today, of_a_deadline=True),
            ),
        ),
        (
            tomorrow,
            ngettext(
                "%(count)s deadline tomorrow.",
                "%(count)s deadlines tomorrow.",
                tomorrow,
                count=in_words(tomorrow, of_a_deadline=True),
            ),
        ),
        (
            undecided,
            ngettext(
                "%(count)s suspicion lacks a decision.",
                "%(count)s suspicions lack a decision.",
                undecided,
                count=in_words(undecided, of_a_deadline=True),
            ),
        ),
    ]
    return " ".join(words.capital(str(said)) for count, said in told if count)


def may_log(actor: Actor) -> bool:
    """Return whether this person may log a suspicion."""
    return actor.may_anywhere(Act.REPORT)
