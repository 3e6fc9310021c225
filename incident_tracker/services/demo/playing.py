"""Setting the stage and playing the exercises, in the order in which they happened, on a clock that is wound on."""

from datetime import datetime
from typing import Any

from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.parties import ContactPoint, Role
from incident_tracker.services import accounts, controllers, incidents, on_call, partners
from incident_tracker.services.context import Context
from incident_tracker.services.controllers import ControllerFacts
from incident_tracker.services.demo import script
from incident_tracker.services.demo.acts import ACTS, Stage
from incident_tracker.services.demo.script import Cue, Exercise
from incident_tracker.services.on_call import ContactFacts
from incident_tracker.services.partners import PartnerFacts


def is_played(context: Context) -> bool:
    """Return whether the house stands already."""
    return bool(controllers.listing(context, SHELL))


def set_stage(stage: Stage, password: str) -> None:
    """Make the house: controller, staff (all with this password), on call, partners."""
    world = script.world()
    facts: dict[str, Any] = world["controller"]
    contact, dpo = (ContactPoint(**facts[who]) for who in ("contact", "dpo"))
    house = ControllerFacts(facts["name"], facts["cvr"], contact=contact, dpo=dpo)
    made = controllers.create(stage.context, SHELL, house, slug=facts["slug"])
    for one in world["staff"]:
        role = Role(one["role"])
        user_id = accounts.create(
            stage.context,
            SHELL,
            name=one["name"],
            email=one["email"],
            password=password,
            grants={made.id: role},
        )
        stage.user_ids[one["name"]] = user_id
        stage.actors[one["name"]] = Actor(f"user:{user_id}", {made.id: role}, user_id)
    for one in world["on_call"]:
        on_call.add(
            stage.context, SHELL, made.id, ContactFacts(one["name"], one["phone"], one["email"], verified=True)
        )
    for one in world["partner"]:
        point = ContactPoint("", one["email"], "")
        stage.partner_ids[one["key"]] = partners.add(
            stage.context, SHELL, made.id, PartnerFacts(one["name"], one["kind"], "", one["what"], point)
        )


def play(stage: Stage, now: datetime) -> None:
    """Play everything that has happened until `now`; in the end the clock stands there."""
    for cue in script.cues(now):
        stage.wind(cue.at)
        _play(stage, cue)
    stage.wind(now)


def _play(stage: Stage, cue: Cue) -> None:
    if cue.step is None:
        stage.references[cue.exercise.key] = _open(stage, cue.exercise)
        return
    actor = stage.actors[cue.step["who"]]
    ACTS[cue.step["act"]](stage, actor, stage.references[cue.exercise.key], cue.step)


def _open(stage: Stage, one: Exercise) -> str:
    reference = incidents.open_incident(
        stage.context,
        stage.actors[one.by],
        title=one.title,
        what_happened=one.what,
        place=one.place,
        ongoing=one.ongoing,
        people_estimate=CountRange.read(one.people, "people") if one.people else None,
        exercise=True,
    )
    if one.partner:
        partners.concern(stage.context, stage.actors[one.by], reference, stage.partner_ids[one.partner])
    return reference
