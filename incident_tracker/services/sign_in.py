"""Signing in and out: one answer for every failure, slow-down instead of lock-out, sign-ins kept on the server."""

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Actor
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import emails, passwords
from incident_tracker.services.context import Context
from incident_tracker.store import sessions, slowdowns, users
from incident_tracker.store.database import NotSaved
from incident_tracker.store.sessions import SignIn
from incident_tracker.store.users import User

_log = structlog.get_logger()
_SEEN_EVERY = timedelta(minutes=1)
_FORGOTTEN_AFTER = timedelta(hours=1)
_LONGEST_WAIT = 60.0
_FREE_FOR_ACCOUNT = 3
_FREE_FOR_NETWORK = 20
_IPV6_NETWORK = 64


class SignInRefused(Refusal):
    """E-mail and password do not belong together, or the account is shut: the answer is the same."""

    message = "E-mail or password is wrong. Check both, and try again."


class SignInSlowedDown(Refusal):
    """Too many failures from here lately."""

    message = "Too many wrong tries from here. Wait %(seconds)s seconds, then try again."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, for one request."""

    user: User
    actor: Actor
    secret_hash: bytes


def sign_in(context: Context, *, email: str, password: str, address: str) -> str:
    """Return the secret of a new sign-in for the cookie, or refuse. `address` is where the request came from."""
    return begin(context, prove(context, email=email, password=password, address=address))


def prove(context: Context, *, email: str, password: str, address: str) -> int:
    """Return whose e-mail and password these are, or refuse; tries are counted and slowed down."""
    key = emails.key_of(email)
    email_hash = context.keyring.fingerprint(users.LOOK_UP, key, context.now())
    doors = _doors(context, key, network_of(address))
    _knock(context, doors)
    with context.database.reading() as session:
        user = users.by_email(session, context.keyring, email_hash)
        password_hash = users.password_of(session, user.id) if user is not None else None
    right = passwords.matches(password_hash, password)
    if user is None or password_hash is None or not right or user.is_disabled:
        raise SignInRefused
    fresh = passwords.hashed(password) if passwords.is_outdated(password_hash) else password_hash
    with context.database.writing() as session:
        _open_again(session, doors)
        if fresh != password_hash:
            users.rehash(session, user.id, password_hash, fresh)
    return user.id


def begin(context: Context, user_id: int) -> str:
    """Begin a sign-in for someone who has just proven who she is; return the secret for the cookie."""
    now = context.now()
    secret = secrets.token_urlsafe(32)
    ends = now + timedelta(hours=context.settings.security.session_hours)
    with context.database.writing() as session:
        sessions.sweep(session, now)
        user = users.get(session, context.keyring, user_id)
        if user is None or user.is_disabled:
            raise SignInRefused
        sessions.add(session, SignIn(_hash(secret), user_id, user.epoch, now, now, ends))
    return secret


def resume(context: Context, secret: str) -> SignedIn | None:
    """Return who holds this cookie, None where it is not or no longer worth anything."""
    if not secret:
        return None
    now = context.now()
    secret_hash = _hash(secret)
    with context.database.reading() as session:
        found = sessions.get(session, secret_hash)
        user = users.get(session, context.keyring, found.user_id) if found is not None else None
    if found is None or user is None or not _is_good(context, found, user, now):
        return None
    if now - found.seen_at >= _SEEN_EVERY:
        _remember_seen(context, secret_hash, now)
    return SignedIn(user, actor_of(user), secret_hash)


def sign_out(context: Context, secret: str) -> None:
    """End a sign-in; the cookie is worthless afterwards."""
    with context.database.writing() as session:
        sessions.end(session, _hash(secret))


def actor_of(user: User) -> Actor:
    """Return who acts when this person does."""
    return Actor(f"user:{user.id}", user.grants, user.id)


def network_of(address: str) -> str:
    """Return the network that an address is counted with: itself, for IPv6 the /64 that one household has."""
    try:
        parsed = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _IPV6_NETWORK), strict=False))
    return str(parsed)


def _is_good(context: Context, found: SignIn, user: User, now: datetime) -> bool:
    idle = timedelta(minutes=context.settings.security.idle_minutes)
    alive = found.expires_at > now and now - found.seen_at < idle
    return alive and user.epoch == found.epoch and not user.is_disabled


def _remember_seen(context: Context, secret_hash: bytes, now: datetime) -> None:
    """Write down that she is still here; a page never fails for it."""
    try:
        with context.database.writing() as session:
            sessions.seen(session, secret_hash, now)
    except NotSaved:
        _log.warning("sign_in_not_refreshed")


def _knock(context: Context, doors: dict[bytes, int]) -> None:
    """Count this try before the password is looked at, so that many at once gain nothing; refuse during a wait."""
    now = context.now()
    with context.database.writing() as session:
        slowdowns.sweep(session, now - _FORGOTTEN_AFTER)
        counted = {door: slowdowns.count(session, door, now) for door in sorted(doors)}
        wait = max(open_at for _, open_at in counted.values()) - now
        if wait > timedelta():
            raise SignInSlowedDown(seconds=int(wait.total_seconds()) + 1)
        for door, (failures, _) in counted.items():
            slowdowns.shut(session, door, now + _wait_after(failures, doors[door]))


def _open_again(session: Session, doors: dict[bytes, int]) -> None:
    """Forget the failures at her own door; at the network's only this try, so that nobody clears it for others."""
    own, _network = doors
    for door in sorted(doors):
        if door == own:
            slowdowns.forget(session, door)
        else:
            slowdowns.take_back(session, door)


def _wait_after(failures: int, free: int) -> timedelta:
    over = failures - free
    return timedelta() if over < 0 else timedelta(seconds=min(_LONGEST_WAIT, 2.0 ** min(over, 10)))


def _doors(context: Context, key: str, network: str) -> dict[bytes, int]:
    """Return the two counts that a try belongs to, her own first, with the failures that are free at each."""
    fingerprint = context.keyring.fingerprint
    now = context.now()
    return {
        fingerprint(users.LOOK_UP, f"door account {key} {network}", now): _FREE_FOR_ACCOUNT,
        fingerprint(users.LOOK_UP, f"door network {network}", now): _FREE_FOR_NETWORK,
    }


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
