"""Is this notice real? What anybody may read who has its reference, once it was sent."""

from dataclasses import dataclass
from datetime import datetime

from incident_tracker.domain import notices as rules
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.notices import State
from incident_tracker.domain.parties import Controller
from incident_tracker.services.context import Context
from incident_tracker.services.notices import composing
from incident_tracker.services.notices.composing import Neutral
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import notices as rows
from incident_tracker.store.keys import KeyIsGone


@dataclass(frozen=True, slots=True)
class PublicNotice:
    """A notice as everybody may read it: nobody's name and no further columns are in it.

    `corrects` is the public reference of the notice that it corrects, `corrected_by` those that correct it.
    """

    notice_id: int
    incident_id: int
    reference: str
    controller: Controller
    sent_at: datetime
    state: State
    texts: tuple[Neutral, ...]
    exercise: bool
    corrects: str
    corrected_by: tuple[str, ...]
    recipients: int = 0


def public(context: Context, public_reference: str, slug: str | None = None) -> PublicNotice | None:
    """Return a notice by its public reference, once its sending has begun; None for everything else alike.

    `slug` is the controller's, where the address names one.
    """
    reference = rules.read_public_reference(public_reference)
    if not reference:
        return None
    with context.database.reading() as session:
        try:
            notice = rows.by_public_reference(session, context.keyring, reference, None)
            if notice is None or notice.begun_at is None or notice.audience != rules.PEOPLE:
                return None
            controller = controller_rows.get(session, context.keyring, notice.controller_id, None)
        except (KeyIsGone, NotFound):
            return None
        if slug is not None and controller.slug != slug:
            return None
        house = composing.house_of(context, session, context.keyring, notice)
        corrected_by = tuple(rows.corrections(session, notice.id, None))
    return PublicNotice(
        notice_id=notice.id,
        incident_id=notice.incident_id,
        reference=reference,
        controller=controller,
        sent_at=notice.begun_at,
        state=notice.state,
        texts=composing.neutral(notice, house),
        exercise=notice.exercise,
        corrects=house.corrected,
        corrected_by=corrected_by,
        recipients=notice.recipients,
    )
