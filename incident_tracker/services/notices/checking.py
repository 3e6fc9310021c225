"""The checks of a notice as they stand: what software sees, what a person ticked or set aside."""

import tomllib
from functools import cache

from incident_tracker import paths
from incident_tracker.domain import notices as rules
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.notices import Notice
from incident_tracker.domain.notices import checks as looking
from incident_tracker.domain.notices.checks import Check, CheckList
from incident_tracker.services.context import Context
from incident_tracker.services.notices import composing
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import notices as rows


@cache
def check_list() -> CheckList:
    """Return the checks of `config/notices`."""
    folder = paths.config() / "notices"
    listed, words = (tomllib.loads((folder / name).read_text("utf-8")) for name in ("checks.toml", "words.toml"))
    return looking.list_from(listed, words)


def checks(context: Context, actor: Actor, notice_id: int, *, language: str = "en") -> tuple[Check, ...]:
    """Return every check of a notice with its answer, asked in `da` or `en`."""
    with context.database.reading() as session:
        scope = actor.scope_for(Act.READ)
        notice = rows.get(session, context.keyring, notice_id, scope)
        controller = controller_rows.get(session, context.keyring, notice.controller_id, scope)
    return look_at(notice, composing.contact_of(controller), language)


def look_at(notice: Notice, contact: str, language: str = "en") -> tuple[Check, ...]:
    """Return the checks of a notice; `contact` is what `{{contact}}` says."""
    return looking.look_at(notice, check_list(), contact, language)


def must_name_a_contact(notice: Notice, contact: str) -> None:
    """Refuse a notice that nobody can answer: the controller has no contact point, and the text names none."""
    if not contact and any(one.id == "contact" and not one.ok for one in look_at(notice, contact)):
        raise rules.NoContactPoint


def must_be_ready(notice: Notice, contact: str, language: str = "en") -> None:
    """Refuse a notice in which something is missing that must be in it; warnings are for people to weigh."""
    must_name_a_contact(notice, contact)
    if unfinished := looking.unfinished(notice):
        raise rules.StillToBeWritten(field="texts", found=unfinished[:3])
    still_open = looking.still_open(look_at(notice, contact, language), looking.MUST)
    if still_open:
        raise rules.ChecksAreOpen(field="ticked", checks=tuple(one.id for one in still_open))
