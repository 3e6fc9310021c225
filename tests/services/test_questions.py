"""Questions of those who read a notice: kept once with the people key, answered by mail, settled by one person."""

from typing import Any

import pytest
from sqlalchemy import select

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import NotAllowed, NotFound, TextIsMissing
from incident_tracker.domain.parties import Role
from incident_tracker.services import notices, questions
from incident_tracker.services.emails import EmailIsNotAnAddress
from incident_tracker.services.questions import Asked, NoAddress, SettledMeanwhile
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store.tables.telling import QuestionRow
from tests.makers import destroy_key, in_threads, make_actor, make_controller
from tests.notices import begin, crowd, make_notice, make_people
from tests.services.world import World

TEXT = "Er mit kortnummer med?"
HERS = "kim@example.org"


def _notice(world: World, **facts: Any) -> tuple[str, str]:
    """Return the references of an incident and of its notice that is being sent."""
    reference = world.open(**facts)
    make_people(world.context, reference, crowd(2))
    notice_id = begin(world.context, reference, world.controller, channels=["email"])
    return reference, notices.show(world.context, SHELL, notice_id).public_reference


def _ask(world: World, public: str, once: str = "a", asked: Asked | None = None) -> str | None:
    return questions.ask(world.context, public, asked or Asked(TEXT, HERS), once=once)


def _one(world: World, reference: str) -> questions.Shown:
    (found,) = questions.listing(world.context, SHELL, reference)
    return found


def _carried(world: World) -> list[Any]:
    """Return the mails to her that the postman carried."""
    return [one for one in world.mail.carried if one.address == HERS]


def test_a_question_is_kept_once_under_the_people_key(either: World) -> None:
    reference, public = _notice(either)
    receipt = _ask(either, public)
    assert _ask(either, public) == receipt
    one = _one(either, reference)
    assert (one.receipt, one.state, one.notice_reference, one.asked) == (receipt, "open", public, Asked(TEXT, HERS))
    assert either.kinds(reference).count("question_received") == 1
    with either.context.database.reading() as session:
        loaded = incident_rows.load(session, either.context.keyring, reference, None)
        (row,) = session.scalars(select(QuestionRow)).all()
    assert either.context.keyring.is_sealed_by(loaded.people_key, row.sealed)


def test_a_form_sent_twice_at_the_same_moment_asks_once(either: World) -> None:
    reference, public = _notice(either)
    in_threads(6, lambda _: _ask(either, public))
    assert _one(either, reference)


def test_nobody_is_woken_by_a_question(world: World) -> None:
    _, public = _notice(world)
    world.tick()
    world.reply("OK")
    before = len(world.sms.carried)
    for number in range(20):
        _ask(world, public, str(number))
    world.advance(minutes=30)
    assert len(world.sms.carried) == before


def test_a_notice_that_was_not_sent_takes_no_question(world: World) -> None:
    reference = world.open()
    make_people(world.context, reference, crowd(2))
    public = notices.show(world.context, SHELL, make_notice(world.context, reference)).public_reference
    assert _ask(world, public) is None
    assert _ask(world, "2222-2222") is None
    assert questions.listing(world.context, SHELL, reference) == []


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (Asked(" ", HERS), TextIsMissing),
        (Asked(TEXT, ""), EmailIsNotAnAddress),
        (Asked(TEXT, "kim@example.org\nBcc: e@example.org"), EmailIsNotAnAddress),
        (Asked("", "kim", "not_me"), EmailIsNotAnAddress),
    ],
)
def test_what_cannot_be_answered_is_refused(world: World, asked: Asked, refusal: type[Exception]) -> None:
    _, public = _notice(world)
    with pytest.raises(refusal):
        _ask(world, public, asked=asked)


def test_an_answer_goes_out_once_in_the_controllers_name(either: World) -> None:
    reference, public = _notice(either)
    _ask(either, public)
    one = _one(either, reference)
    delivery = questions.answer(either.context, SHELL, one.id, text="Nej.\n\n{{name}} {{brace}} {x} <b>")
    either.tick()
    (mail,) = _carried(either)
    assert mail.content.sender_name == "Nordlys ApS"
    assert mail.content.reply_to == "ada@example.dk"
    assert "Nej.\n\n{{name}} {{brace}} {x} <b>" in mail.text()
    assert "{{name}} {{brace}} {x} &lt;b&gt;" in str(mail.html())
    assert public in mail.subject()
    shown = _one(either, reference)
    assert (shown.state, shown.delivery_id, shown.settled_by) == ("answered", delivery, "shell")
    assert shown.answer == "Nej.\n\n{{name}} {{brace}} {x} <b>"
    row = next(row for row in either.deliveries() if row.id == delivery)
    assert (row.purpose, row.channel, row.notice_id) == ("question", "email", None)


def test_an_answer_speaks_the_language_of_the_question(world: World) -> None:
    reference, public = _notice(world)
    _ask(world, public, asked=Asked("Is my card in it?", HERS, language="en"))
    questions.answer(world.context, SHELL, _one(world, reference).id, text="No.")
    world.tick()
    (mail,) = _carried(world)
    assert mail.subject() == f"Answer to your question ({public})"
    assert "We never ask you for your CPR number" in mail.text()


def test_an_answer_in_an_exercise_stays_on_this_machine(world: World) -> None:
    reference, public = _notice(world, exercise=True)
    _ask(world, public)
    delivery = questions.answer(world.context, SHELL, _one(world, reference).id, text="Nej.")
    world.tick()
    assert _carried(world) == []
    assert next(row.notifier for row in world.deliveries() if row.id == delivery) == "outbox"


def test_of_several_who_settle_at_once_one_gets_it_and_one_mail_goes(either: World) -> None:
    reference, public = _notice(either)
    _ask(either, public)
    one = _one(either, reference)
    won: list[int] = []

    def settle(number: int) -> None:
        actor = make_actor(either.controller, Role.RESPONDER, user_id=number + 1)
        try:
            if number % 2:
                questions.answer(either.context, actor, one.id, text="Nej.")
            else:
                questions.close(either.context, actor, one.id, reason="Svaret pr. telefon")
        except SettledMeanwhile:
            return
        won.append(number)

    in_threads(6, settle)
    either.tick()
    assert len(won) == 1
    assert len(_carried(either)) == won[0] % 2


def test_what_was_settled_stays_settled(world: World) -> None:
    reference, public = _notice(world)
    _ask(world, public)
    one = _one(world, reference)
    questions.close(world.context, SHELL, one.id, reason="Reklame")
    before = world.snapshot()
    with pytest.raises(SettledMeanwhile):
        questions.answer(world.context, SHELL, one.id, text="Nej.")
    with pytest.raises(SettledMeanwhile):
        questions.close(world.context, SHELL, one.id, reason="Igen")
    assert world.snapshot() == before
    assert (_one(world, reference).state, _one(world, reference).answer) == ("closed", "Reklame")


def test_who_left_no_address_cannot_be_answered(world: World) -> None:
    reference, public = _notice(world)
    _ask(world, public, asked=Asked("", "", "not_me"))
    one = _one(world, reference)
    with pytest.raises(NoAddress):
        questions.answer(world.context, SHELL, one.id, text="Nej.")
    assert _one(world, reference).state == "open"


def test_forgetting_the_people_forgets_their_questions(world: World) -> None:
    reference, public = _notice(world)
    _ask(world, public, "a")
    questions.answer(world.context, SHELL, _one(world, reference).id, text="Nej.")
    _ask(world, public, "b")
    with world.context.database.writing() as session:
        loaded = incident_rows.load(session, world.context.keyring, reference, None)
        destroy_key(session, loaded.people_key, world.clock())
    world.context.keyring._keys.clear()
    assert [one.asked for one in questions.listing(world.context, SHELL, reference)] == [None, None]
    assert {one.answer for one in questions.listing(world.context, SHELL, reference)} == {""}


def test_the_open_questions_of_an_incident_are_counted(world: World) -> None:
    reference, public = _notice(world)
    incident_id = world.overview(reference).id
    for number in range(3):
        _ask(world, public, str(number))
    questions.close(world.context, SHELL, questions.listing(world.context, SHELL, reference)[0].id, reason="Reklame")
    assert questions.count(world.context, make_actor(world.controller), incident_id) == (3, 2)
    other = make_controller(world.context, "Sydlys ApS")
    assert questions.count(world.context, make_actor(other), incident_id) == (0, 0)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.REPORTER])
def test_a_role_that_does_not_work_on_incidents_answers_nothing(world: World, role: Role) -> None:
    reference, public = _notice(world)
    _ask(world, public)
    one = _one(world, reference)
    actor = make_actor(world.controller, role)
    with pytest.raises((NotAllowed, NotFound)):
        questions.answer(world.context, actor, one.id, text="Nej.")
    with pytest.raises((NotAllowed, NotFound)):
        questions.close(world.context, actor, one.id, reason="Reklame")
