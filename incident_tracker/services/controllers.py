"""The organisations whose incidents are kept here: made and changed by administrators."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError

from incident_tracker.domain import approvals, colours
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotAllowed, Refusal
from incident_tracker.domain.events import ControllerChanged, ControllerCreated
from incident_tracker.domain.parties import LANGUAGES, ContactPoint, Controller, Role
from incident_tracker.services import accounts, emails, texts
from incident_tracker.services.context import Context
from incident_tracker.services.work import Work, working
from incident_tracker.store import controllers, users
from incident_tracker.store.keys import KeyKind

NAME_LIMIT = 120
NO_POINT = ContactPoint()
SECTORS = ("private", "public")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_PREFIX = re.compile(r"[A-Z][A-Z0-9]{0,7}")
_CVR = re.compile(r"\d{8}", re.ASCII)
_FOLDED = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


class SlugNotUsable(Refusal):
    """The short name cannot stand in an address."""

    message = "Use 1 to 40 small letters a-z, digits and hyphens, for instance nordlys."


class SlugIsTaken(Refusal):
    """Another controller has this short name or prefix."""

    message = "Another controller uses this short name or prefix. Choose another."


class PrefixNotUsable(Refusal):
    """The prefix of the references cannot be read aloud and told apart."""

    message = "Use 1 to 8 capital letters and digits, beginning with a letter, for instance NORD."


class CvrNotUsable(Refusal):
    """The company number is not one."""

    message = "A CVR number has eight digits."


class TimeZoneUnknown(Refusal):
    """There is no such zone."""

    message = "This time zone is not known. Write it like Europe/Copenhagen."


@dataclass(frozen=True, slots=True)
class ControllerFacts:
    """What is known of an organisation, as typed."""

    name: str
    cvr: str = ""
    time_zone: str = "Europe/Copenhagen"
    language: str = "da"
    sector: str = "private"
    contact: ContactPoint = NO_POINT
    dpo: ContactPoint = NO_POINT
    four_eyes: str = approvals.COLLEAGUE
    colour: str = ""


def create(
    context: Context, actor: Actor, facts: ControllerFacts, *, slug: str = "", reference_prefix: str = ""
) -> Controller:
    """Keep another organisation. The first has plain references (2026-0001), a later one needs a prefix of its own.

    Who makes it by the pages becomes its administrator.
    """
    if not actor.may_anywhere(Act.ADMINISTER):
        raise NotAllowed(who="an administrator")
    checked = check(facts)
    new_id = reserve(context)
    try:
        with working(context, actor) as work:
            made = insert(work, new_id, checked, slug=slug, reference_prefix=reference_prefix)
            if actor.user_id is not None:
                users.grant(work.session, actor.user_id, made.id, Role.ADMINISTRATOR, work.now)
            return made
    except IntegrityError:
        raise SlugIsTaken(field="slug") from None


def reserve(context: Context) -> int:
    """Return the id of the next controller, with the key by which its people will be found already made."""
    with context.database.writing() as session:
        new_id = controllers.reserve_id(session)
    context.keyring.ensure([KeyKind.LOOK_UP], controllers.look_up_subject(new_id), context.now())
    return new_id


def insert(
    work: Work, new_id: int, facts: ControllerFacts, *, slug: str = "", reference_prefix: str = ""
) -> Controller:
    """Insert a controller of checked facts in a transaction that is under way."""
    is_first = not controllers.listing(work.session, work.keyring, None)
    made = Controller(
        id=new_id,
        slug=_slug(slug or slug_of(facts.name)),
        reference_prefix=_prefix(reference_prefix, is_first=is_first),
        **{part.name: getattr(facts, part.name) for part in fields(facts)},
    )
    controllers.add(work.session, work.keyring, work.keyring.year(work.now), made, work.now)
    work.note(ControllerCreated(made.id, made.slug, made.name), made.id)
    return made


def change(context: Context, actor: Actor, controller_id: int, facts: ControllerFacts) -> None:
    """Write what is known of an organisation anew; short name and prefix stay, references depend on them."""
    actor.must(Act.ADMINISTER, controller_id)
    checked = check(facts)
    with working(context, actor) as work:
        before = controllers.get(work.session, work.keyring, controller_id, actor.scope)
        values = {part.name: getattr(checked, part.name) for part in fields(checked)}
        changed = tuple(name for name, value in values.items() if getattr(before, name) != value)
        if changed:
            controllers.save(work.session, work.keyring, work.keyring.year(work.now), replace(before, **values))
            work.note(ControllerChanged(controller_id, changed), controller_id)


def listing(context: Context, actor: Actor) -> list[Controller]:
    """Return the controllers that the actor may see."""
    with context.database.reading() as session:
        return controllers.listing(session, context.keyring, actor.scope)


def get(context: Context, actor: Actor, controller_id: int) -> Controller:
    """Return a controller, or refuse alike whether it is missing or somebody else's."""
    with context.database.reading() as session:
        return controllers.get(session, context.keyring, controller_id, actor.scope)


def by_slug(context: Context, actor: Actor, slug: str) -> Controller:
    """Return a controller by its short name."""
    with context.database.reading() as session:
        return controllers.by_slug(session, context.keyring, slug, actor.scope)


def check(facts: ControllerFacts) -> ControllerFacts:
    """Return the facts in the form in which they are kept, or refuse the first that cannot be."""
    try:
        ZoneInfo(facts.time_zone)
    except (KeyError, ValueError, OSError):
        raise TimeZoneUnknown(field="time_zone") from None
    accounts.one_of(facts.language, LANGUAGES, "language")
    accounts.one_of(facts.sector, SECTORS, "sector")
    accounts.one_of(facts.four_eyes, approvals.RULES, "four_eyes")
    return replace(
        facts,
        name=texts.clean_line(facts.name, "name", limit=NAME_LIMIT),
        cvr=cvr(facts.cvr),
        contact=_point(facts.contact, "contact"),
        dpo=_point(facts.dpo, "dpo"),
        colour=colours.read(facts.colour),
    )


def cvr(text: str) -> str:
    """Return a company number as eight digits, or nothing where nothing was typed."""
    plain = "".join(text.split())
    if plain and not _CVR.fullmatch(plain):
        raise CvrNotUsable(field="cvr")
    return plain


def slug_of(name: str) -> str:
    """Return a short name made from a name: `Nordlys ApS` gives `nordlys-aps`."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.casefold().translate(_FOLDED)).strip("-")[:40].strip("-")
    return plain or "controller"


def from_settings(context: Context) -> ControllerFacts:
    """Return what `[controller]` in the settings says, to begin with at the first run."""
    section: Mapping[str, str] = context.settings.controller.model_dump()
    points = {
        who: ContactPoint(*(section[f"{who}_{part}"] for part in ("name", "email", "phone")))
        for who in ("contact", "dpo")
    }
    return ControllerFacts(
        name=section["name"],
        cvr=section["cvr"],
        time_zone=section["time_zone"],
        language=section["language"],
        sector=section["sector"],
        contact=points["contact"],
        dpo=points["dpo"],
    )


def _point(point: ContactPoint, field: str) -> ContactPoint:
    return ContactPoint(
        name=texts.clean_line(point.name, f"{field}_name", required=False),
        email=emails.read(point.email, f"{field}_email", required=False),
        phone=texts.clean_line(point.phone, f"{field}_phone", limit=40, required=False),
    )


def _slug(slug: str) -> str:
    if not _SLUG.fullmatch(slug):
        raise SlugNotUsable(field="slug")
    return slug


def _prefix(prefix: str, *, is_first: bool) -> str:
    if not prefix and is_first:
        return ""
    bare = prefix.removesuffix("-")
    if not _PREFIX.fullmatch(bare):
        raise PrefixNotUsable(field="reference_prefix")
    return f"{bare}-"
