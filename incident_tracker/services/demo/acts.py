"""What can happen in an exercise, one function an act; each does what a person would do on the pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from incident_tracker.domain.access import Actor
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.notices import NoticeText
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services import alerts, approving, calling, incidents, notices, people, scope
from incident_tracker.services.context import Context
from incident_tracker.services.demo import script

_NOT_OF_THE_ASSESSMENT = frozenset({"after", "who", "act"})
_SUBJECT = "Subject: "
ANSWERING = ("Ben",)


@dataclass
class Stage:
    """The house as it is played: who acts, which incident is which, and `wind`, which brings the clock to a time."""

    context: Context
    wind: Callable[[datetime], None]
    actors: dict[str, Actor] = field(default_factory=dict)
    user_ids: dict[str, int] = field(default_factory=dict)
    partner_ids: dict[str, int] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)


Step = Mapping[str, Any]
Act = Callable[[Stage, Actor, str, Step], None]


def answer(stage: Stage) -> None:
    """Let whoever is on call take every open alert."""
    for name in ANSWERING:
        for _alert, reference in calling.open_alerts(stage.context, stage.actors[name]):
            alerts.acknowledge(stage.context, stage.actors[name], reference, via="page")


def _aware(stage: Stage, actor: Actor, reference: str, step: Step) -> None:
    incidents.record_awareness(stage.context, actor, reference, at=stage.context.now(), reason=step["reason"])


def _lead(stage: Stage, actor: Actor, reference: str, _step: Step) -> None:
    incidents.assign_owner(stage.context, actor, reference, user_id=actor.user_id)


def _contain(stage: Stage, actor: Actor, reference: str, step: Step) -> None:
    incidents.contain(stage.context, actor, reference, at=stage.context.now(), how=step["how"])


def _note(stage: Stage, actor: Actor, reference: str, step: Step) -> None:
    incidents.add_note(stage.context, actor, reference, text=step["text"])


def _assess(stage: Stage, actor: Actor, reference: str, step: Step) -> None:
    said: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in step.items()
        if name not in _NOT_OF_THE_ASSESSMENT
    }
    said["people_count"] = CountRange.read(step["people_count"], "people_count")
    scope.assess(stage.context, actor, reference, ScopeAssessment(**said))


def _people(stage: Stage, actor: Actor, reference: str, step: Step) -> None:
    people.read_file(stage.context, actor, reference, file=script.list_of_people(step["file"]))


def _notice(stage: Stage, actor: Actor, reference: str, step: Step) -> None:
    texts = {language: _text(script.notice(step["file"], language)) for language in ("da", "en")}
    notice_id = notices.create(stage.context, actor, reference, texts=texts, channels=step["channels"])
    if not step.get("submit"):
        return
    found = notices.checks(stage.context, actor, notice_id)
    ticked = [one.id for one in found if one.method != "auto"]
    dismissed = {
        one.id: "Set igennem af os." for one in found if one.method == "auto" and not one.ok and one.level == "should"
    }
    approval = notices.submit(stage.context, actor, notice_id, ticked=ticked, dismissed=dismissed)
    if step.get("approve"):
        approving.approve(stage.context, stage.actors[step["approve"]], approval, reason="Læst igennem.")
    if step.get("send"):
        notices.begin(stage.context, actor, notice_id)


def _text(written: str) -> NoticeText:
    first, _, body = written.partition("\n")
    return NoticeText(first.removeprefix(_SUBJECT).strip(), body.strip(), "")


ACTS: Mapping[str, Act] = {
    "aware": _aware,
    "lead": _lead,
    "contain": _contain,
    "note": _note,
    "assess": _assess,
    "people": _people,
    "notice": _notice,
}
