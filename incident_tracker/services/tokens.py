"""Tokens of programs: made once and shown once, they act as their owner, never beyond her, and only in their scopes.

A token is `itk_<id>_<secret>`. The secret has 256 random bits, so that its plain hash (SHA-256) is enough to keep.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal, phrase
from incident_tracker.domain.events import TokenChanged
from incident_tracker.domain.tokens import scopes_from
from incident_tracker.services import texts
from incident_tracker.services.context import Context
from incident_tracker.services.sign_in import network_of
from incident_tracker.services.work import Work, working
from incident_tracker.store import slowdowns, users
from incident_tracker.store import tokens as rows
from incident_tracker.store.database import NotSaved
from incident_tracker.store.ids import new_id
from incident_tracker.store.tokens import Token
from incident_tracker.store.users import User

__all__ = [
    "Holder",
    "LivesTooLong",
    "Made",
    "Token",
    "TokenRefused",
    "TokenSlowedDown",
    "create",
    "listing",
    "resume",
    "revoke",
]

_log = structlog.get_logger()
LONGEST_DAYS = 3650
_NAME_LIMIT = 100
_WRITTEN = re.compile(r"itk_([0-9a-f]{32})_([A-Za-z0-9_-]{43})", re.ASCII)
_NOTED_EVERY = timedelta(minutes=1)
_FREE_TRIES = 20
_LONGEST_WAIT = 60.0
_FORGOTTEN_AFTER = timedelta(hours=1)
_HOUSE = "the shell, or the owner of the account"


class TokenRefused(Refusal):
    """No token, a wrong, revoked or expired one, or one whose owner's account is shut: the answer is the same."""

    message = "This needs a token that is still good: Authorization: Bearer itk_..."


class TokenSlowedDown(Refusal):
    """Too many wrong tokens from one network lately."""

    message = "Too many wrong tokens from here. Wait %(seconds)s seconds, then try again."


class LivesTooLong(Refusal):
    """A token that ends before it begins, or never in practice."""

    message = "A token lives for 1 to %(longest)s days."


@dataclass(frozen=True, slots=True)
class Made:
    """A new token. `written` is the token itself, which nobody can read again."""

    token: Token
    written: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the token of a request: the program acts as this person, within these scopes."""

    token_id: str
    user: User
    actor: Actor
    scopes: frozenset[str]


def create(
    context: Context,
    actor: Actor,
    *,
    owner_id: int,
    name: str = "",
    scopes: Iterable[str] = (),
    days: int | None = None,
) -> Made:
    """Make a token for an account and return it; without scopes it may only read.

    Only the account itself (and the shell) may: a token acts as its owner.
    """
    named = texts.clean_line(name, "name", limit=_NAME_LIMIT, required=False)
    wanted = scopes_from(scopes)
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise LivesTooLong(field="expires_days", longest=LONGEST_DAYS)
    secret = secrets.token_urlsafe(32)
    with working(context, actor) as work:
        owner = _owner(work, owner_id)
        if actor.grants is not None and actor.user_id != owner.id:
            raise NotAllowed(who=phrase(_HOUSE))
        ends = None if days is None else work.now + timedelta(days=days)
        token = Token(new_id(work.now), owner.id, named, wanted, work.now, ends)
        rows.add(work.session, token, _hash(secret))
        _note(work, owner, TokenChanged(token.id, owner.id, "created", wanted))
    return Made(token, f"itk_{token.id}_{secret}")


def listing(context: Context, actor: Actor) -> list[tuple[Token, User]]:
    """Return the tokens that the actor may revoke, the newest first, each with its owner."""
    with context.database.reading() as session:
        near = {one.id for one in users.listing(session, context.keyring, actor.scope_for(Act.ADMINISTER))}
        if actor.user_id is not None:
            near.add(actor.user_id)
        found = rows.of_users(session, near)
        owners = {one: users.get(session, context.keyring, one) for one in {token.user_id for token in found}}
    pairs = [(one, owners[one.user_id]) for one in found]
    return [(one, owner) for one, owner in pairs if owner is not None and _may_revoke(actor, owner)]


def revoke(context: Context, actor: Actor, token_id: str) -> bool:
    """Let a token open nothing any more; return whether it did until now. Its owner may, and her administrators."""
    with working(context, actor) as work:
        found = rows.find(work.session, token_id)
        owner = None if found is None else users.get(work.session, work.keyring, found[0].user_id)
        if found is None or owner is None or not _may_revoke(actor, owner):
            raise NotFound(what=token_id[:64])
        revoked = rows.revoke(work.session, token_id, work.now)
        if revoked:
            _note(work, owner, TokenChanged(token_id, owner.id, "revoked", found[0].scopes))
        return revoked


def resume(context: Context, written: str, address: str) -> Holder:
    """Return who holds a token, or refuse; `address` is where the request came from, for counting failures."""
    now = context.now()
    holder = _holder(context, written, now)
    if holder is None:
        if _WRITTEN.fullmatch(written):  # what has not even the form is a slip, not a guess, and costs nothing
            _count_failure(context, network_of(address), now)
        raise TokenRefused
    return holder


def _holder(context: Context, written: str, now: datetime) -> Holder | None:
    parts = _WRITTEN.fullmatch(written)
    if parts is None:
        return None
    with context.database.reading() as session:
        found = rows.find(session, parts[1])
        user = None if found is None else users.get(session, context.keyring, found[0].user_id)
    if found is None or user is None:
        return None
    token, kept_hash = found
    if not hmac.compare_digest(_hash(parts[2]), kept_hash) or not token.is_good(now) or user.is_disabled:
        return None
    if token.last_used_at is None or now - token.last_used_at >= _NOTED_EVERY:
        _remember_used(context, token.id, now)
    actor = Actor(f"user:{user.id}", user.grants, user.id)
    return Holder(token.id, user, actor, frozenset(token.scopes))


def _remember_used(context: Context, token_id: str, now: datetime) -> None:
    """Write down when a token was last used; no request ever fails for it."""
    try:
        with context.database.writing() as session:
            rows.used(session, token_id, now, now - _NOTED_EVERY)
    except NotSaved:
        _log.warning("token_use_not_noted")


def _count_failure(context: Context, network: str, now: datetime) -> None:
    """Count a wrong token from a network; refuse with a wait where there were many. Good tokens never wait."""
    door = context.keyring.fingerprint(users.LOOK_UP, f"door token {network}", now)
    with context.database.reading() as session:
        shut_until = slowdowns.open_at(session, door)
    if shut_until is not None and shut_until > now:
        raise TokenSlowedDown(seconds=int((shut_until - now).total_seconds()) + 1)
    with context.database.writing() as session:
        slowdowns.sweep(session, now - _FORGOTTEN_AFTER)
        failures, _ = slowdowns.count(session, door, now)
        over = failures - _FREE_TRIES
        if over >= 0:
            slowdowns.shut(session, door, now + timedelta(seconds=min(_LONGEST_WAIT, 2.0 ** min(over, 10))))


def _may_revoke(actor: Actor, owner: User) -> bool:
    if actor.grants is None or actor.user_id == owner.id:
        return True
    return bool(owner.grants) and all(actor.may(Act.ADMINISTER, one) for one in owner.grants)


def _owner(work: Work, user_id: int) -> User:
    user = users.get(work.session, work.keyring, user_id)
    if user is None or user.is_disabled:
        raise NotFound(what="account")
    return user


def _note(work: Work, owner: User, event: TokenChanged) -> None:
    """Enter the change once for each controller, so that each reads it in its own journal."""
    for controller_id in owner.grants:
        work.note(event, controller_id)
    if not owner.grants:
        work.note(event)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
