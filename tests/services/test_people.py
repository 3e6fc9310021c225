"""The list of the people affected: once each, sealed, found by address, resumable, taken off again."""

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.events import PeopleImported, PeopleRemoved
from incident_tracker.domain.incident import IncidentIsClosed, ReasonIsMissing
from incident_tracker.services import housekeeping, incidents, people, register
from incident_tracker.services.people import importing, pieces, uploads
from incident_tracker.services.people.encodings import Examined
from incident_tracker.services.people.importing import Job
from incident_tracker.services.people.reading import layout_of
from incident_tracker.store import people as rows
from incident_tracker.store.database import Database, NotSaved
from incident_tracker.store.ids import new_id
from incident_tracker.store.keys import KeyIsGone
from incident_tracker.store.tables.incidents import IncidentRow
from incident_tracker.store.tables.outbox import DeliveryRow
from incident_tracker.store.tables.telling import PersonRow
from tests.makers import PHONES, destroy_key, in_threads, make_controller
from tests.services.world import World

HEAD = "navn;e-mail;telefon;sprog;kundenr\n"
FOUR = (
    "Søren Åse;Soren@Example.dk;34 41 23 45;dansk;7\n"
    "Åse-Lill O'Brien;aase@example.dk;;english;=8\n"
    ";;+45 32 12 34 56;;\n"
    "王小明;wang@example.org;;;\n"
)


def _many(number: int, start: int = 0) -> str:
    return HEAD + "".join(f"Person {one};p{one}@example.dk;;;{one}\n" for one in range(start, start + number))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kunder.csv"


Read = Callable[..., people.Reading]


@pytest.fixture
def read(file: Path) -> Read:
    def one(world: World, reference: str, content: str | bytes) -> people.Reading:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return people.read_file(world.context, SHELL, reference, file=file)

    return one


def _begin(world: World, reference: str, content: str) -> Job:
    examined = Examined()
    examined.feed(content.encode())
    import_id, layout = new_id(world.clock()), layout_of(examined)
    return importing.begin(
        world.context, SHELL, reference, import_id=import_id, file_name="kunder.csv", layout=layout
    )


def _removed(world: World, reference: str) -> list[PeopleRemoved]:
    history = register.history(world.context, SHELL, reference)
    return [one.event for one in history if isinstance(one.event, PeopleRemoved)]


def _imported(world: World, reference: str) -> list[PeopleImported]:
    history = register.history(world.context, SHELL, reference)
    return [one.event for one in history if isinstance(one.event, PeopleImported)]


def test_a_list_is_kept_as_it_was_written(either: World, read: Read) -> None:
    reference = either.open()
    found = read(either, reference, HEAD + FOUR)
    assert (found.state, found.read, found.accepted, found.duplicates, found.refused) == ("finished", 4, 4, 0, 0)
    kept = people.listing(either.context, SHELL, reference)
    assert [(one.name, one.email, one.phone, one.language) for one in kept] == [
        ("Søren Åse", "Soren@example.dk", "+4534412345", "da"),
        ("Åse-Lill O'Brien", "aase@example.dk", "", "en"),
        ("", "", "+4532123456", "da"),
        ("王小明", "wang@example.org", "", "da"),
    ]
    assert [one.fields for one in kept] == [{"kundenr": "7"}, {"kundenr": "=8"}, {}, {}]
    assert people.columns_of(either.context, SHELL, reference) == ("kundenr",)
    assert people.count(either.context, SHELL, reference) == 4


def test_reading_the_same_file_again_adds_nobody(either: World, read: Read) -> None:
    reference = either.open()
    read(either, reference, _many(30))
    again = read(either, reference, _many(30))
    assert (again.read, again.accepted, again.duplicates, again.refused) == (30, 0, 30, 0)
    assert people.count(either.context, SHELL, reference) == 30


def test_one_address_is_one_person_and_another_name_is_listed(either: World, read: Read) -> None:
    reference = either.open()
    first = read(either, reference, f"{HEAD}Ada;ada@example.dk;;;\nADA;ADA@EXAMPLE.DK;;;\nBo;Ada@example.dk;;;\n")
    second = read(either, reference, f"{HEAD}Ib;ada@example.dk;;;\n;ada@example.dk;;;\nUden mail;;34412345;;\n")
    assert (first.accepted, first.duplicates) == (1, 2)
    assert (second.accepted, second.duplicates) == (1, 2)
    for found, name in ((first, "Bo"), (second, "Ib")):
        _, *lines = people.refused_rows(either.context, SHELL, reference, found.id, gettext=str)
        (line,) = lines
        assert name in line
        assert "another name (»Ada«)" in line


def test_the_same_person_may_be_affected_by_two_incidents(world: World, read: Read) -> None:
    one, other = world.open(), world.open()
    assert read(world, one, HEAD + FOUR).accepted == 4
    assert read(world, other, HEAD + FOUR).accepted == 4


def test_nothing_of_a_list_stands_in_the_clear_in_the_database(
    world: World, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reference = world.open()
    read(world, reference, HEAD + FOUR + "Hemmelig;forkert;;;\n")
    stored = repr(world.snapshot()) + caplog.text
    for words in ("Søren", "oren@", "34412345", "Hemmelig", "kunder.csv", "kundenr", "wang"):
        assert words not in stored


def test_forgetting_the_people_makes_the_list_unreadable(world: World, read: Read) -> None:
    reference = world.open()
    read(world, reference, HEAD + FOUR)
    with world.context.database.writing() as session:
        destroy_key(session, session.scalars(select(IncidentRow.people_key)).one(), world.clock())
    world.context.keyring._keys.clear()
    with pytest.raises(KeyIsGone):
        people.listing(world.context, SHELL, reference)
    assert _imported(world, reference)[0].accepted == 4


@pytest.mark.parametrize(
    "search", ["soren@example.dk", " SOREN@EXAMPLE.DK ", "34412345", "+45 34 41 23 45", "0045 34412345"]
)
def test_somebody_is_found_by_her_whole_address(either: World, read: Read, search: str) -> None:
    reference, other = either.open(), either.open()
    read(either, reference, HEAD + FOUR)
    assert [one.name for one in people.listing(either.context, SHELL, reference, search=search)] == ["Søren Åse"]
    assert people.listing(either.context, SHELL, other, search=search) == ()


@pytest.mark.parametrize("search", ["soren", "Søren Åse", "%", "@", "x" * 5000, "\x00", "112"])
def test_a_search_for_anything_else_finds_nobody(world: World, read: Read, search: str) -> None:
    reference = world.open()
    read(world, reference, HEAD + FOUR)
    assert people.listing(world.context, SHELL, reference, search=search) == ()


def test_the_journal_has_one_entry_with_counts_and_digest_and_nobodys_name(world: World, read: Read) -> None:
    reference = world.open()
    found = read(world, reference, HEAD + FOUR + "Bo;forkert;;;\n" + FOUR)
    (entry,) = _imported(world, reference)
    assert (entry.read, entry.accepted, entry.duplicates, entry.refused) == (9, 4, 4, 1)
    assert entry.complete
    assert entry.digest == found.shape["digest"]
    assert len(entry.digest) == 64


def test_every_row_becomes_one_thing(world: World, read: Read) -> None:
    reference = world.open()
    content = _many(3000) + "x;y;;;\n" * 500 + _many(1000, 2500).partition("\n")[2]
    found = read(world, reference, content)
    assert found.read == found.accepted + found.duplicates + found.refused == 4500
    assert (found.accepted, found.duplicates, found.refused) == (3500, 500, 500)
    lines = list(people.refused_rows(world.context, SHELL, reference, found.id, gettext=str))
    assert len(lines) == 501
    assert found.read_bytes == found.total_bytes == len(content.encode())


def test_the_list_of_refused_rows_can_be_repaired_and_read(world: World, read: Read) -> None:
    reference = world.open()
    found = read(world, reference, HEAD + "Bo;bo(at)example.dk;;da;=7\nIb;;+45 112;;\n")
    text = "".join(people.refused_rows(world.context, SHELL, reference, found.id, gettext=str))
    repaired = text.replace("bo(at)", "bo@").replace("'+45 112", "'+45 34412345")
    again = read(world, reference, repaired)
    assert (again.accepted, again.refused) == (2, 0)
    bo, ib = people.listing(world.context, SHELL, reference)
    assert (bo.email, bo.fields, ib.phone) == ("bo@example.dk", {"kundenr": "=7"}, "+4534412345")


def test_a_reading_that_was_killed_is_repeated_and_everybody_is_there_once(either: World, read: Read) -> None:
    reference = either.open()
    content = _many(5000)
    job = _begin(either, reference, content)

    class Killed(BaseException):
        pass

    def pieces_of() -> Iterator[bytes]:
        yield content.encode()[:150_000]
        raise Killed

    keeper = pieces.Keeper(either.context, job.loaded, job.import_id, job.layout, "da")
    with pytest.raises(Killed):
        list(keeper.keep(pieces_of()))
    kept = people.count(either.context, SHELL, reference)
    assert 0 < kept < 5000
    (broken,) = people.imports(either.context, SHELL, reference)
    assert (broken.state, broken.accepted) == ("reading", kept)
    with pytest.raises(people.ListIsBeingRead):
        read(either, reference, content)
    either.clock.advance(minutes=2)
    again = read(either, reference, content)
    assert (again.accepted, again.duplicates) == (5000 - kept, kept)
    emails = {one.email for one in _everybody(either, reference)}
    assert emails == {f"p{number}@example.dk" for number in range(5000)}
    first, second = _imported(either, reference)
    assert (first.accepted, first.complete, second.complete) == (kept, False, True)


def _everybody(world: World, reference: str) -> list[people.Person]:
    found: list[people.Person] = []
    while page := people.listing(world.context, SHELL, reference, after=found[-1].id if found else None, limit=700):
        found += page
    return found


def test_the_clock_settles_readings_that_died_once(world: World) -> None:
    reference = world.open()
    _begin(world, reference, HEAD + FOUR)
    housekeeping.tidy(world.context, world.clock())
    assert not _imported(world, reference)
    world.clock.advance(minutes=2)
    for _ in range(2):
        housekeeping.tidy(world.context, world.clock())
    (entry,) = _imported(world, reference)
    assert not entry.complete
    (found,) = people.imports(world.context, SHELL, reference)
    assert found.state == "broken_off"


def test_a_reading_is_stopped_between_two_pieces(either: World) -> None:
    reference = either.open()
    content = _many(9000)
    job = _begin(either, reference, content)

    def told(counts: people.Counts) -> None:
        if counts.read == 4000:
            people.stop(either.context, SHELL, reference, job.import_id)

    importing.run(job, [content.encode()], told)
    (found,) = people.imports(either.context, SHELL, reference)
    assert (found.state, found.accepted) == ("stopped", 4000)
    assert people.count(either.context, SHELL, reference) == 4000
    (entry,) = _imported(either, reference)
    assert (entry.accepted, entry.complete) == (4000, False)
    with pytest.raises(people.ReadingIsOver):
        people.stop(either.context, SHELL, reference, job.import_id)


@pytest.mark.parametrize(
    ("fault", "words"),
    [(NotSaved(why="the disk is full"), "Not saved"), (RuntimeError("Ada"), "fault of the program")],
)
def test_a_reading_that_fails_says_why_and_keeps_what_it_counted(
    world: World, fault: Exception, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = world.open()
    content = _many(5000)
    job = _begin(world, reference, content)

    def told(counts: people.Counts) -> None:
        if counts.read == 2000:
            raise fault

    with pytest.raises(type(fault)):
        importing.run(job, [content.encode()], told)
    (found,) = people.imports(world.context, SHELL, reference)
    assert (found.state, found.accepted) == ("broken_off", 2000)
    assert words in people.Reason.say(found.trouble, str)
    assert "Ada" not in capsys.readouterr().out
    assert not _imported(world, reference)[0].complete


def test_a_file_that_changes_while_it_is_read_is_not_read_to_the_end(world: World, file: Path) -> None:
    reference = world.open()
    file.write_text(_many(15_000), "utf-8")

    def told(counts: people.Counts) -> None:
        if counts.read == 2000:
            file.write_text(_many(1), "utf-8")

    with pytest.raises(people.FileChanged):
        people.read_file(world.context, SHELL, reference, file=file, told=told)
    assert people.imports(world.context, SHELL, reference)[0].state == "broken_off"


def test_two_lists_at_once_wait_for_each_other(either: World, tmp_path: Path) -> None:
    reference = either.open()
    refused: list[BaseException] = []

    def job(index: int) -> None:
        mine = tmp_path / f"{index}.csv"
        mine.write_text(_many(300, index * 100), "utf-8")
        try:
            people.read_file(either.context, SHELL, reference, file=mine)
        except people.ListIsBeingRead as error:
            refused.append(error)

    in_threads(2, job)
    expected = 300 if refused else 400
    assert people.count(either.context, SHELL, reference) == expected


def test_people_of_a_reading_are_taken_off_again(either: World, read: Read) -> None:
    reference = either.open()
    first = read(either, reference, _many(2500))
    second = read(either, reference, _many(3, 5000) + "x;y;;;\n")
    with pytest.raises(ReasonIsMissing):
        people.remove(either.context, SHELL, reference, first.id, reason=" ")
    assert people.remove(either.context, SHELL, reference, first.id, reason="Den forkerte fil") == 2500
    assert people.count(either.context, SHELL, reference) == 3
    (removed,) = _removed(either, reference)
    assert (removed.count, removed.reason) == (2500, "Den forkerte fil")
    with pytest.raises(people.NobodyToRemove):
        people.remove(either.context, SHELL, reference, first.id, reason="Igen")
    assert people.remove(either.context, SHELL, reference, second.id, reason="Også den") == 3
    assert not list(people.refused_rows(either.context, SHELL, reference, second.id, gettext=str))


def test_taking_people_off_that_was_broken_off_is_gone_on_with_and_counts_all(
    either: World, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = either.open()
    found = read(either, reference, _many(3000))
    delete, done = rows.remove, []

    def dies(session: Session, ids: Collection[str]) -> None:
        delete(session, ids)
        done.append(ids)
        if len(done) == 3:
            raise NotSaved(why="the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(rows, "remove", dies)
        with pytest.raises(NotSaved):
            people.remove(either.context, SHELL, reference, found.id, reason="Den forkerte fil")
    assert people.count(either.context, SHELL, reference) == 1000
    assert people.remove(either.context, SHELL, reference, found.id, reason="Den forkerte fil") == 3000
    assert people.count(either.context, SHELL, reference) == 0
    assert [one.count for one in _removed(either, reference)] == [3000]


def test_a_notice_that_begins_while_people_are_taken_off_keeps_the_rest_and_the_journal_says_who_is_gone(
    either: World, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = either.open()
    found = read(either, reference, _many(2500))
    looks = iter((False, True))
    monkeypatch.setattr(rows, "is_being_told", lambda *_: next(looks))
    with pytest.raises(people.WereTold):
        people.remove(either.context, SHELL, reference, found.id, reason="Den forkerte fil")
    assert people.count(either.context, SHELL, reference) == 1500
    assert [one.count for one in _removed(either, reference)] == [1000]


def test_who_was_told_stays_on_the_list(either: World, read: Read) -> None:
    reference = either.open()
    found = read(either, reference, _many(3))
    delivery = either.deliveries()[0].id
    with either.context.database.writing() as session:
        person = session.scalars(select(PersonRow.id).limit(1)).one()
        session.execute(update(DeliveryRow).where(DeliveryRow.id == delivery).values(recipient_id=person))
    with pytest.raises(people.WereTold):
        people.remove(either.context, SHELL, reference, found.id, reason="Fejl")
    assert people.count(either.context, SHELL, reference) == 3


def test_a_closed_incident_takes_nobody(world: World, read: Read) -> None:
    reference = world.open()
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Ingen data")
    with pytest.raises(IncidentIsClosed):
        read(world, reference, HEAD + FOUR)
    with pytest.raises(IncidentIsClosed):
        people.add_person(world.context, SHELL, reference, email="ada@example.dk")


def test_a_reading_belongs_to_its_own_incident(world: World, read: Read) -> None:
    one, other = world.open(), world.open()
    found = read(world, one, HEAD + FOUR + "x;y;;;\n")
    with pytest.raises(NotFound):
        people.one_import(world.context, SHELL, other, found.id)
    with pytest.raises(NotFound):
        people.remove(world.context, SHELL, other, found.id, reason="Fejl")
    with pytest.raises(NotFound):
        people.refused_rows(world.context, SHELL, other, found.id, gettext=str)


def test_the_language_of_the_controller_is_that_of_people_without_one(world: World, read: Read) -> None:
    english = make_controller(world.context, "Skyhost A/S", language="en")
    reference = world.open(controller_id=english.id)
    read(world, reference, HEAD + FOUR)
    assert [one.language for one in people.listing(world.context, SHELL, reference)] == ["da", "en", "en", "en"]


def test_samples_are_as_unlike_one_another_as_there_are(world: World, read: Read) -> None:
    reference = world.open()
    read(world, reference, _many(20).replace(";;;5\n", ";;en;5\n") + f"Ib;;{PHONES[0]};;\n")
    chosen = people.sample(world.context, SHELL, reference)
    assert len({(one.language, bool(one.email)) for one in chosen}) == 3
    assert len(people.sample(world.context, SHELL, reference, size=6)) == 6


def test_the_countries_of_the_settings_are_those_that_get_an_sms(
    world: World, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = world.open()
    content = f"{HEAD}Siri;;+47 40 61 23 45;;\n"
    assert read(world, reference, content).refused == 1
    monkeypatch.setitem(world.context.settings.people.__dict__, "phone_countries", ("DK", "NO"))
    assert read(world, reference, content).accepted == 1


def test_whatever_is_urgent_goes_before_the_next_piece_of_a_list(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = world.open()
    content = _many(4500)
    job = _begin(world, reference, content)
    writing, asked = Database.writing, []

    def seen(database: Database, *, urgent: bool = False) -> AbstractContextManager[Session]:
        asked.append(urgent)
        return writing(database, urgent=urgent)

    monkeypatch.setattr(Database, "writing", seen)
    importing.run(job, [content.encode()])
    assert len(asked) >= 4, "three pieces and the entry in the journal are a transaction each"
    assert not any(asked)


def test_where_the_machine_gives_no_thread_nothing_is_left_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = world.open()
    content = _many(3).encode()

    def fails(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fails)
        with pytest.raises(NotSaved):
            people.start(world.context, SHELL, reference, file_name="a.csv", pieces=[content], size=len(content))
    assert not list(uploads.folder(world.context).iterdir())
    (found,) = people.imports(world.context, SHELL, reference)
    assert found.state == "broken_off"
    again = people.start(world.context, SHELL, reference, file_name="a.csv", pieces=[content], size=len(content))
    assert people.wait(again, 30)
    assert people.count(world.context, SHELL, reference) == 3


def test_a_person_who_came_by_the_form_in_between_counts_as_a_duplicate(either: World) -> None:
    reference = either.open()
    content = HEAD + FOUR
    job = _begin(either, reference, content)
    keeper = pieces.Keeper(either.context, job.loaded, job.import_id, job.layout, "da")
    (some,) = pieces._some_at_once(pieces.rows_of([content.encode()], job.layout))
    checked = keeper._checked(some, either.clock())
    people.add_person(either.context, SHELL, reference, name="Søren Åse", email="soren@example.dk")
    counts = people.Counts(read=4, accepted=4)
    keeper._write(counts, checked, either.clock())
    (found,) = people.imports(either.context, SHELL, reference)
    assert (found.accepted, found.duplicates) == (3, 1)
    assert people.count(either.context, SHELL, reference) == 4


def test_the_next_people_come_in_the_order_of_their_ids(either: World, read: Read) -> None:
    reference = either.open()
    read(either, reference, _many(10))
    with either.context.database.reading() as session:
        incident_id = session.scalars(select(IncidentRow.id)).one()
        first = rows.after(session, incident_id, "", 6)
        rest = rows.after(session, incident_id, first[-1].id, 6)
    opened = [rows.open_person(either.context.keyring, one) for one in first + rest]
    assert [one.name for one in opened] == [f"Person {number}" for number in range(10)]
