"""Makers of real things for tests: a tracker on a fresh, migrated database and a clock wound by hand."""

import itertools
import threading
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from incident_tracker import paths
from incident_tracker.delivery.routing import Routing
from incident_tracker.domain.access import Actor
from incident_tracker.domain.escalation import policy_from
from incident_tracker.domain.parties import ContactPoint, Controller, OnCallContact, Role
from incident_tracker.domain.regimes import rules_from
from incident_tracker.services import emails, passwords
from incident_tracker.services.anchors import Anchors
from incident_tracker.services.context import Context
from incident_tracker.settings import Settings
from incident_tracker.store import controllers, migrations, users
from incident_tracker.store.database import Database
from incident_tracker.store.keys import KeyKind, Keyring, load_master_key, make_master_key_file
from incident_tracker.store.tables.keys import DataKey

if TYPE_CHECKING:
    from incident_tracker.bootstrap import Tracker
    from notifiers.protocol import Channel, Notifier

START = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
"""A Friday, 14.00 Danish time."""
PHONES = ("+4534412345", "+4532123456")
"""The two numbers that stand in for real ones."""
_slugs = itertools.count(1)


class HandClock:
    """A clock that stands still until it is wound; give it as `now`."""

    def __init__(self, start: datetime = START) -> None:
        self.at = start

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **length: float) -> datetime:
        """Wind the clock on: `advance(hours=3, minutes=1)`."""
        self.at += timedelta(**length)
        return self.at

    def set(self, at: datetime) -> None:
        self.at = at


def make_settings(tmp_path: Path, database_url: str | None = None, **sections: Any) -> Settings:
    """Return settings with everything under `tmp_path`; a section is given as a mapping: `server={"port": 0}`."""
    values = {"data": {"dir": tmp_path / "data"}, **sections}
    if database_url is not None:
        values["database"] = {"url": database_url} | values.get("database", {})
    return Settings.model_validate(values)


def make_database(settings: Settings) -> Database:
    """Make the empty database and the master key of a new installation, migrated to the newest version."""
    settings.data.dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url, settings.data.dir.absolute() / "keys.sqlite3")
    migrations.upgrade(database)
    if not settings.master_key_file.exists():
        make_master_key_file(settings.master_key_file)
    return database


def make_tracker(
    tmp_path: Path,
    now: Callable[[], datetime] | None = None,
    database_url: str | None = None,
    notifiers: "Mapping[tuple[str, Channel], Notifier] | None" = None,
    probe: Callable[[str], None] | None = None,
    **sections: Any,
) -> "Tracker":
    """Return the whole product on a fresh database, without controllers; close it when done."""
    from incident_tracker import bootstrap  # noqa: PLC0415 - most tests need no engine

    settings = make_settings(tmp_path, database_url, **sections)
    make_database(settings).close()
    return bootstrap.build(settings, now=now or HandClock(), notifiers=notifiers, probe=probe)


def make_context(
    tmp_path: Path, now: Callable[[], datetime] | None = None, database_url: str | None = None, **sections: Any
) -> Context:
    """Return what services need, without notifiers and outbox engine, on a fresh database."""
    settings = make_settings(tmp_path, database_url, **sections)
    database = make_database(settings)
    keyring = Keyring(load_master_key(settings.master_key_file), database)
    return Context(
        settings=settings,
        database=database,
        keyring=keyring,
        now=now or HandClock(),
        rules=rules_from(*(_toml(file) for file in sorted((paths.config() / "regimes").glob("*.toml")))),
        policy=policy_from(_toml(paths.config() / "escalation" / "default.toml")),
        routing=Routing(settings.routing.by_channel()),
        reports={},
        anchors=Anchors(settings.data.dir / "journal-anchors.txt", keyring.anchor_key()),
        wake=lambda: None,
    )


def make_controller(context: Context, name: str = "Nordlys ApS", **facts: Any) -> Controller:
    """Keep a controller; the first has no reference prefix, later ones get one."""
    number = next(_slugs)
    now = context.now()
    key_id = context.keyring.year(now)
    with context.database.writing() as session:
        first = not controllers.listing(session, context.keyring, None)
        values: dict[str, Any] = {
            "slug": f"org-{number}",
            "cvr": "00000000",
            "reference_prefix": "" if first else f"N{number}-",
            "contact": ContactPoint("Ada", "ada@example.dk", PHONES[0]),
            "dpo": ContactPoint("Ada", "ada@example.dk", PHONES[0]),
        } | facts
        made = controllers.add(session, context.keyring, key_id, Controller(id=0, name=name, **values), now)
    context.keyring.ensure([KeyKind.LOOK_UP], controllers.look_up_subject(made.id), now)
    return made


def make_contact(
    context: Context, controller: Controller, name: str = "Ben", phone: str = PHONES[0], **facts: Any
) -> OnCallContact:
    """Put someone on call, last in the order; the number counts as verified unless told otherwise."""
    now = context.now()
    key_id = context.keyring.year(now)
    phone_hash = context.keyring.fingerprint(controllers.look_up_subject(controller.id), phone, now)
    with context.database.writing() as session:
        position = controllers.next_position(session, controller.id)
        values: dict[str, Any] = {"language": controller.language, "verified": True} | facts
        contact = OnCallContact(0, controller.id, position, name, phone, **values)
        new_id = controllers.add_contact(session, context.keyring, key_id, contact, phone_hash, now)
        return controllers.contacts_by_ids(session, context.keyring, [new_id], None)[new_id]


def make_actor(controller: Controller, role: Role = Role.ADMINISTRATOR, user_id: int = 1) -> Actor:
    """Return someone with a role for one controller; nothing is stored."""
    return Actor(f"user:{user_id}", {controller.id: role}, user_id)


def _toml(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


PASSWORD = "en gul cykel i regnvejr"


@cache
def _password_hash(password: str) -> str:
    return passwords.hashed(password)


def make_user(
    context: Context,
    controller: Controller,
    role: Role = Role.ADMINISTRATOR,
    email: str = "ada@example.dk",
    name: str = "Ada",
    password: str = PASSWORD,
) -> users.User:
    """Keep an account with a role for one controller; its password is hashed once a run, for speed."""
    now = context.now()
    key_id = context.keyring.year(now)
    email_hash = context.keyring.fingerprint(users.LOOK_UP, emails.key_of(email), now)
    new = users.NewUser(name, email, email_hash, _password_hash(password), "da")
    with context.database.writing() as session:
        user_id = users.add(session, context.keyring, key_id, new, now)
        users.grant(session, user_id, controller.id, role, now)
        user = users.get(session, context.keyring, user_id)
    assert user is not None
    return user


def destroy_key(session: Session, key_id: str, now: datetime) -> None:
    """Forget a data key for ever, so that what it sealed cannot be read."""
    session.execute(update(DataKey).where(DataKey.id == key_id).values(wrapped=None, destroyed_at=now))


def in_threads(number: int, job: Callable[[int], object], patience: float = 30) -> None:
    """Run a job in several threads that start together; raise the first thing that went wrong."""
    barrier = threading.Barrier(number)
    wrong: list[BaseException] = []

    def run(index: int) -> None:
        try:
            barrier.wait(patience)
            job(index)
        except BaseException as error:  # noqa: BLE001 - raised again below, in the test's own thread
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience)
    if wrong:
        raise wrong[0]
