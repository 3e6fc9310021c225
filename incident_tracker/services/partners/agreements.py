"""Data-processing agreements kept as files, encrypted beside the attachments (GDPR Art. 28(3))."""

import re
from collections.abc import Iterable, Iterator
from datetime import date

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotFound, Refusal
from incident_tracker.domain.events import AgreementKept
from incident_tracker.services import attachments
from incident_tracker.services.context import Context
from incident_tracker.services.partners.listing import get, load
from incident_tracker.services.work import working
from incident_tracker.store import attachments as files
from incident_tracker.store import partners as rows
from incident_tracker.store.ids import new_id
from incident_tracker.store.partners import Agreement

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class DayIsNotADay(Refusal):
    """A day that the calendar does not have, or that is not written as one."""

    message = "Write the day like 2026-11-22, or leave it empty."


def keep_agreement(
    context: Context, actor: Actor, partner_id: int, *, file_name: str, plain: Iterable[bytes], signed_on: str = ""
) -> Agreement:
    """File an agreement with its partner; `plain` yields the bytes and is read once.

    The file is on the disk before its row, and is removed if the row cannot be kept.
    """
    partner = get(context, actor, partner_id).partner
    actor.must(Act.WORK, partner.controller_id)
    signed_on = _day(signed_on.strip())
    now = context.now()
    key_id, agreement_id = context.keyring.year(now), new_id(now)
    folder, limit = attachments.folder(context), attachments.limit(context)
    written = files.write(folder, context.keyring, key_id, agreement_id, plain, limit)
    agreement = Agreement(
        id=agreement_id,
        controller_id=partner.controller_id,
        partner_id=partner.id,
        key_id=key_id,
        file_name=attachments.safe_name(file_name),
        size=written.size,
        sha256=written.sha256,
        signed_on=signed_on,
        added_by=actor.name,
        added_at=now,
    )
    try:
        _keep(context, actor, agreement)
    except BaseException:
        attachments.remove_unless_kept(context, agreement_id)
        raise
    return agreement


def read_agreement(
    context: Context, actor: Actor, partner_id: int, agreement_id: str
) -> tuple[Agreement, Iterator[bytes]]:
    """Return an agreement and its plain bytes in pieces, after the whole of it was found to be what was written."""
    kept = get(context, actor, partner_id)
    found = next((one for one in kept.agreements if one.id == agreement_id), None)
    if found is None:
        raise NotFound(what=agreement_id)
    folder = attachments.folder(context)
    for _ in files.read(folder, context.keyring, found.key_id, found):
        pass
    return found, files.read(folder, context.keyring, found.key_id, found)


def _day(written: str) -> str:
    """Return a day as it was written, if the calendar has it; empty stays empty."""
    if written and not _DAY.fullmatch(written):
        raise DayIsNotADay(field="signed_on")
    try:
        return date.fromisoformat(written).isoformat() if written else ""
    except ValueError:
        raise DayIsNotADay(field="signed_on") from None


def _keep(context: Context, actor: Actor, agreement: Agreement) -> None:
    with working(context, actor) as work:
        partner = load(work, agreement.partner_id, Act.WORK)
        rows.add_agreement(work.session, work.keyring, agreement)
        event = AgreementKept(partner.id, agreement.id, agreement.size, agreement.sha256)
        work.note(event, partner.controller_id)
