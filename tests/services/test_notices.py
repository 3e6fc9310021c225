"""Notices from the first draft to the last delivery: what is refused, what is sent, what is written down."""

from dataclasses import replace
from typing import Any

import pytest

from incident_tracker.domain import notices as rules
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.approvals import AlreadyDecided, NotApproved, NotByShell
from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal
from incident_tracker.domain.incident import IncidentIsClosed
from incident_tracker.domain.notices import NoticeText
from incident_tracker.domain.notices.placeholders import PlaceholderUnknown
from incident_tracker.domain.parties import ContactPoint, PartyRole, Role
from incident_tracker.services import approving, daily_mail, incidents, notices, people, register
from incident_tracker.services.notices import feeding, retrying
from incident_tracker.services.notices.retrying import NobodyUnreached
from incident_tracker.services.notices.sending import StoppedForGood
from incident_tracker.services.people import importing
from incident_tracker.services.people.encodings import Examined
from incident_tracker.services.people.reading import layout_of
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import lanes
from incident_tracker.store import notices as rows
from notifiers.protocol import Message, NotSent, Outcome, RefusalKind, Refused, ReportedState, StatusReport, Unknown
from tests.delivery.world import NEVER, accepted
from tests.makers import in_threads, make_actor, make_controller, make_user
from tests.notices import DANISH, TEXTS, TICKS, approve, begin, crowd, make_notice, make_people, second, writer
from tests.services.conftest import MakeWorld
from tests.services.world import World


def ready(world: World, size: int = 3, *, phones: bool = False, emails: bool = True, **facts: Any) -> str:
    """Open an incident that is a breach, with so many people on its list, and let the alert of it go."""
    reference = world.open(**facts)
    world.aware(reference)
    make_people(world.context, reference, crowd(size, phones=phones, emails=emails))
    world.tick()
    world.sms.carried.clear()
    world.mail.carried.clear()
    return reference


def run(world: World) -> None:
    """Let clock and outbox go on until nothing moves any more."""
    for _ in range(4):
        notices.go_on(world.context, world.clock())
        world.tracker.engine.drain(NEVER)
        world.tracker.engine.sweep()


def told(world: World) -> list[str]:
    """Return who got a mail of a notice, in order."""
    return [one.address for one in world.mail.carried if one.address.startswith("person")]


def shown(world: World, notice_id: int) -> rules.Notice:
    return notices.show(world.context, writer(world.controller), notice_id)


def status(world: World, notice_id: int) -> notices.Status:
    return notices.status(world.context, writer(world.controller), notice_id)


def refusing(*addresses: str) -> Any:
    """Return an answer that refuses these addresses for good."""

    def answer(message: Message) -> Outcome:
        if message.address in addresses:
            return Refused(message.attempt, RefusalKind.ADDRESS, "no such address", "550")
        return accepted(message)

    return answer


def test_everybody_is_told_once_in_her_own_language(either: World) -> None:
    world = either
    reference = ready(world)
    notice_id = begin(world.context, reference, world.controller)
    run(world)
    mails = {one.address: one for one in world.mail.carried}
    assert sorted(told(world)) == [f"person{number}@example.org" for number in range(3)]
    assert "Kære Person 0\n" in mails["person0@example.org"].text()
    assert "Dear Person 2\n" in mails["person2@example.org"].text()
    assert "Kære Person 1" in (mails["person1@example.org"].html() or "")
    run(world)
    assert len(told(world)) == 3
    one = shown(world, notice_id)
    assert (one.state, one.recipients, one.unreachable, one.all_told) == ("finished", 3, 0, True)


def test_every_mail_says_who_sends_how_to_see_that_it_is_real_and_what_is_never_asked_for(world: World) -> None:
    reference = ready(world, 1)
    notice_id = begin(world.context, reference, world.controller)
    run(world)
    (mail,) = world.mail.carried
    public = shown(world, notice_id).public_reference
    for part in (mail.text(), mail.html() or ""):
        assert f"Denne besked kommer fra Nordlys ApS (CVR 00000000). Reference: {public}." in part
        assert "Vi beder dig aldrig om CPR-nummer, MitID, adgangskode eller kortoplysninger." in part
        assert "/notice/" not in part
        assert "{{" not in part
    assert mail.content.sender_name == "Nordlys ApS"
    assert mail.content.reply_to == "ada@example.dk"


def test_the_duties_are_met_with_counts_and_a_digest_as_proof(world: World) -> None:
    reference = ready(world)
    assert world.standing(reference, "notify_people") == "open"
    notice_id = begin(world.context, reference, world.controller)
    run(world)
    assert world.standing(reference, "notify_people") == "met"
    assert world.standing(reference, "inform_parties") == "met"
    finished, *met = [one.event for one in register.history(world.context, SHELL, reference)][-3:]
    assert finished.reached == finished.recipients == 3
    assert finished.counts["accepted"] == 3
    assert {f"{one.regime}.{one.duty}" for one in met} == {"gdpr.notify_people", "promise.inform_parties"}
    assert finished.digest in met[0].how
    assert shown(world, notice_id).public_reference in met[0].how
    assert world.overview(reference).incident.told[0].reached == 3


def test_a_notice_that_reached_nobody_meets_nothing(world: World) -> None:
    reference = ready(world, 2)
    world.mail.answer = refusing("person0@example.org", "person1@example.org")
    notice_id = begin(world.context, reference, world.controller)
    run(world)
    assert shown(world, notice_id).state == "finished"
    assert status(world, notice_id).reached == 0
    assert world.standing(reference, "notify_people") == "open"


def test_a_notice_that_ends_after_the_incident_was_closed_is_finished_and_settles_nothing(world: World) -> None:
    reference = ready(world, 1)
    notice_id = begin(world.context, reference, world.controller)
    world.tracker.engine.drain(NEVER)
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Kun testadresser.")
    run(world)
    assert shown(world, notice_id).state == "finished"
    assert world.kinds(reference)[-1] == "notice_finished"


def test_each_is_told_over_the_first_channel_by_which_she_can_be(world: World) -> None:
    reference = world.open()
    world.aware(reference)
    listed = [
        ("Anna", "anna@example.org", "+4534410001", "da"),
        ("Bo", "", "+4534410002", "da"),
        ("Cy", "", "", "da"),
    ]
    make_people(world.context, reference, listed)
    world.tick()
    world.sms.carried.clear()
    notice_id = begin(world.context, reference, world.controller)
    run(world)
    assert [one.address for one in world.mail.carried if "Vigtigt" in one.subject()] == ["anna@example.org"]
    assert [one.address for one in world.sms.carried] == ["+4534410002"]
    one = shown(world, notice_id)
    assert (one.recipients, one.unreachable) == (2, 1)
    sms = world.sms.carried[0].text()
    assert sms.startswith("Nordlys ApS: vigtigt om dine personoplysninger.")
    assert one.public_reference in sms
    assert "http" not in sms


def test_an_exercise_never_leaves_the_house(world: World) -> None:
    reference = ready(world, exercise=True)
    begin(world.context, reference, world.controller)
    run(world)
    assert not world.mail.carried
    assert {row.notifier for row in world.deliveries() if row.notice_id} == {"outbox"}
    assert world.standing(reference, "notify_people") == "met"


def test_placeholders_that_do_not_exist_are_refused_when_they_are_written(world: World) -> None:
    reference = ready(world)
    for body in ("Hej {{navn}}", "{{field.ordre}}", "{{ cycler.__init__ }}"):
        with pytest.raises(PlaceholderUnknown):
            make_notice(world.context, reference, texts={"da": replace(DANISH, body=body)})


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"texts": {}}, rules.NoTextInAnyLanguage),
        ({"texts": {"de": DANISH}}, rules.LanguageUnknown),
        ({"texts": {"da": NoticeText("", "x")}}, Refusal),
        ({"texts": {"da": NoticeText("x", "")}}, Refusal),
        ({"texts": {"da": NoticeText("x", "x" * 20_001)}}, Refusal),
        ({"texts": {"da": NoticeText("x", "x", "x" * 700)}}, Refusal),
        ({"channels": []}, rules.ChannelUnknown),
        ({"channels": ["fax"]}, rules.ChannelUnknown),
        ({"audience": "everybody"}, rules.AudienceUnknown),
        ({"corrects": 7}, NotFound),
    ],
)
def test_what_is_no_notice_is_refused(world: World, facts: dict[str, Any], refusal: type[Refusal]) -> None:
    reference = ready(world)
    with pytest.raises(refusal):
        make_notice(world.context, reference, **facts)


def test_what_people_write_is_printed_as_it_is(world: World) -> None:
    reference = ready(world, 1)
    evil = "{% for x in ().__class__.__base__.__subclasses__() %}{{name}}{# x #} <script>alert(1)</script> ${7*7}"
    body = f"{DANISH.body}\n{evil}"
    begin(world.context, reference, world.controller, texts={"da": replace(DANISH, body=body)})
    run(world)
    (mail,) = world.mail.carried
    assert "().__class__.__base__.__subclasses__() %}Person 0{# x #} <script>" in mail.text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in (mail.html() or "")


def test_a_name_of_the_list_can_bring_neither_markup_nor_placeholders(world: World) -> None:
    reference = world.open()
    world.aware(reference)
    make_people(world.context, reference, [("<b>{{contact}}</b>\n## Ada", "ada@example.org", "", "da")])
    world.tick()
    world.mail.carried.clear()
    begin(world.context, reference, world.controller)
    run(world)
    (mail,) = [one for one in world.mail.carried if one.address == "ada@example.org"]
    assert "Kære <b>{{contact}}</b> ## Ada\n" in mail.text()
    assert "<p>Kære &lt;b&gt;{{contact}}&lt;/b&gt; ## Ada</p>" in (mail.html() or "")


def test_a_notice_without_a_contact_is_refused(world: World) -> None:
    reference = ready(world)
    notice_id = make_notice(world.context, reference)
    with world.context.database.writing() as session:
        nobody = replace(world.controller, contact=ContactPoint("Ada"), dpo=ContactPoint())
        year = world.context.keyring.year(world.clock())
        controller_rows.save(session, world.context.keyring, year, nobody)
    with pytest.raises(rules.NoContactPoint):
        notices.submit(world.context, writer(world.controller), notice_id, ticked=TICKS, dismissed={})


def test_what_a_notice_must_have_is_asked_for_by_name(world: World) -> None:
    reference = ready(world)
    notice_id = make_notice(world.context, reference, texts={"da": replace(DANISH, body="Send dit CPR-nummer.")})
    actor = writer(world.controller)
    with pytest.raises(rules.ChecksAreOpen) as refused:
        notices.submit(world.context, actor, notice_id, ticked=["nature"], dismissed={})
    named = refused.value.params["checks"]
    assert {"actions", "contact", "no_data_request", "channel"} <= set(named)  # type: ignore[call-overload]
    assert "nature" not in named  # type: ignore[operator]
    assert "language" not in named  # type: ignore[operator]
    with pytest.raises(rules.CheckUnknown):
        notices.submit(world.context, actor, notice_id, ticked=[*TICKS, "nonsense"], dismissed={})
    with pytest.raises(rules.CheckUnknown):
        notices.submit(world.context, actor, notice_id, ticked=TICKS, dismissed={"actions": "Ingen."})
    outline = replace(DANISH, body=f"{DANISH.body}\n[Hvad vi har gjort]")
    notices.change(world.context, actor, notice_id, texts={"da": outline}, channels=["email"], after_version=1)
    with pytest.raises(rules.StillToBeWritten, match="Hvad vi har gjort"):
        notices.submit(world.context, actor, notice_id, ticked=TICKS, dismissed={})


def test_ticks_and_reasons_are_part_of_what_is_approved_and_stand_in_the_journal(world: World) -> None:
    reference = ready(world)
    notice_id = make_notice(world.context, reference)
    ticked = [one for one in TICKS if one != "language"]
    actor = writer(world.controller)
    notices.submit(world.context, actor, notice_id, ticked=ticked, dismissed={"language": "Alle læser dansk."})
    written = next(
        one.event
        for one in reversed(register.history(world.context, SHELL, reference))
        if one.kind == "notice_written"
    )
    assert written.submitted
    assert written.dismissed == {"language": "Alle læser dansk."}
    assert set(written.ticked) == set(ticked)
    digest = shown(world, notice_id).digest
    notices.submit(world.context, actor, notice_id, ticked=TICKS, dismissed={})
    assert shown(world, notice_id).digest != digest


def test_nothing_is_sent_before_a_second_person_has_approved_it(world: World) -> None:
    reference = ready(world)
    notice_id = make_notice(world.context, reference)
    actor = writer(world.controller)
    with pytest.raises(rules.NoticeIsNot):
        notices.begin(world.context, actor, notice_id)
    approval = notices.submit(world.context, actor, notice_id, ticked=TICKS, dismissed={})
    with pytest.raises(NotApproved):
        notices.begin(world.context, actor, notice_id)
    with pytest.raises(NotByShell):
        approving.approve(world.context, SHELL, approval)
    approving.approve(world.context, second(world.controller), approval)
    assert shown(world, notice_id).state == "approved"
    notices.begin(world.context, actor, notice_id)
    with pytest.raises(rules.NoticeIsNot):
        notices.begin(world.context, actor, notice_id)


def test_a_change_takes_the_approval_back(world: World) -> None:
    reference = ready(world)
    notice_id = make_notice(world.context, reference)
    approve(world.context, notice_id, world.controller)
    actor = writer(world.controller)
    other = {"da": replace(DANISH, subject="Noget andet")}
    assert notices.change(world.context, actor, notice_id, texts=other, channels=["email"], after_version=1) == 2
    assert shown(world, notice_id).state == "draft"
    with pytest.raises(Refusal):
        notices.begin(world.context, actor, notice_id)
    with pytest.raises(rules.NoticeChangedMeanwhile):
        notices.change(world.context, actor, notice_id, texts=TEXTS, channels=["email"], after_version=1)
    assert shown(world, notice_id).texts["da"].subject == "Noget andet"


def test_a_rejected_notice_is_a_draft_again_and_can_be_handed_over_anew(world: World) -> None:
    reference = ready(world)
    notice_id = make_notice(world.context, reference)
    actor = writer(world.controller)
    approval = notices.submit(world.context, actor, notice_id, ticked=TICKS, dismissed={})
    approving.reject(world.context, second(world.controller), approval, reason="Skriv kortere.")
    assert shown(world, notice_id).state == "draft"
    world.clock.advance(minutes=5)
    approve(world.context, notice_id, world.controller)
    notices.begin(world.context, actor, notice_id)


def test_of_two_who_approve_at_once_one_wins_and_it_is_sent_once(either: World) -> None:
    world = either
    reference = ready(world)
    notice_id = make_notice(world.context, reference)
    approval = notices.submit(world.context, writer(world.controller), notice_id, ticked=TICKS, dismissed={})
    said: list[object] = []

    def decide(index: int) -> None:
        actor = make_actor(world.controller, Role.DECISION_MAKER, 910 + index)
        try:
            approving.approve(world.context, actor, approval)
            said.append("yes")
        except AlreadyDecided as refusal:
            said.append(type(refusal))

    in_threads(4, decide)
    assert sorted(map(str, said)) == sorted(["yes", *[str(AlreadyDecided)] * 3])
    begun: list[object] = []

    def start(index: int) -> None:
        del index
        try:
            notices.begin(world.context, writer(world.controller), notice_id)
            begun.append("begun")
        except Refusal as refusal:
            begun.append(type(refusal))

    in_threads(3, start)
    assert begun.count("begun") == 1
    run(world)
    assert sorted(told(world)) == sorted(set(told(world)))
    assert len(told(world)) == 3


def test_a_list_of_nobody_cannot_be_told(world: World) -> None:
    reference = ready(world, 0)
    notice_id = make_notice(world.context, reference)
    approve(world.context, notice_id, world.controller)
    with pytest.raises(rules.NobodyToTell):
        notices.begin(world.context, writer(world.controller), notice_id)


def test_nothing_begins_while_a_list_is_still_being_read(world: World) -> None:
    reference = ready(world, 1)
    notice_id = make_notice(world.context, reference)
    approve(world.context, notice_id, world.controller)
    actor = writer(world.controller)
    examined = Examined()
    examined.feed(b"navn;e-mail\nBo;bo@example.org\n")
    layout = layout_of(examined)
    job = importing.begin(world.context, actor, reference, import_id="a" * 32, file_name="x.csv", layout=layout)
    with pytest.raises(people.ListIsBeingRead):
        notices.begin(world.context, actor, notice_id)
    importing.run(job, [b"navn;e-mail\nBo;bo@example.org\n"])
    notices.begin(world.context, actor, notice_id)
    run(world)
    assert shown(world, notice_id).recipients == 2


def test_a_pause_holds_everything_and_resuming_lets_it_go_on(either: World) -> None:
    world = either
    reference = ready(world, 1200)
    actor = writer(world.controller)
    notice_id = begin(world.context, reference, world.controller)
    notices.pause(world.context, actor, notice_id, reason="Vent på direktøren")
    run(world)
    assert told(world) == []
    now = status(world, notice_id)
    assert (now.state, now.held_up) == ("paused", "Vent på direktøren")
    with pytest.raises(rules.NoticeIsNot):
        notices.pause(world.context, actor, notice_id)
    notices.resume(world.context, actor, notice_id)
    run(world)
    assert len(set(told(world))) == len(told(world)) == 1200
    assert shown(world, notice_id).state == "finished"
    changes = [
        one.event.change for one in register.history(world.context, SHELL, reference) if one.kind == "notice_halted"
    ]
    assert changes == ["paused", "resumed"]


def test_stopping_cancels_what_waits_and_keeps_what_was_sent(either: World) -> None:
    world = either
    reference = ready(world, 700)
    notice_id = begin(world.context, reference, world.controller)
    with pytest.raises(NotAllowed):
        notices.stop(world.context, writer(world.controller), notice_id, reason="Forkert liste")
    notices.stop(world.context, second(world.controller), notice_id, reason="Forkert liste")
    run(world)
    now = status(world, notice_id)
    assert now.state == "stopped"
    assert told(world) == []
    assert now.counts["pending"] == 0
    assert now.counts["cancelled"] == sum(now.counts.values()) > 0
    assert world.standing(reference, "notify_people") == "open"
    for step in (notices.resume, notices.pause):
        with pytest.raises(rules.NoticeIsNot):
            step(world.context, writer(world.controller), notice_id)
    with pytest.raises(StoppedForGood):
        notices.settle_doubts(
            world.context, second(world.controller), notice_id, decision=notices.Decision.AGAIN, reason="x"
        )


def test_what_came_back_is_told_over_the_other_channel(either: World) -> None:
    world = either
    reference = ready(world, 4, phones=True)
    world.mail.answer = refusing("person1@example.org")
    actor = writer(world.controller)
    notice_id = begin(world.context, reference, world.controller, channels=["email"])
    run(world)
    assert status(world, notice_id).counts["failed"] == 1
    assert notices.retry(world.context, actor, notice_id, channel="sms", reason="Retur") == 1
    assert shown(world, notice_id).state == "sending"
    run(world)
    assert [one.address for one in world.sms.carried] == ["+4534410001"]
    now = status(world, notice_id)
    assert (now.state, now.reached) == ("finished", 4)
    assert world.kinds(reference).count("notice_finished") == 2
    assert world.overview(reference).incident.told[0].reached == 4
    with pytest.raises(NobodyUnreached):
        notices.retry(world.context, actor, notice_id, channel="sms")
    lines = notices.ledger(world.context, actor, notice_id)
    assert {(one.delivery.channel, one.delivery.state) for one in lines if one.name == "Person 1"} == {
        ("email", "failed"),
        ("sms", "accepted"),
    }


def test_a_bounce_after_the_end_is_shown_and_can_be_told_otherwise(world: World) -> None:
    reference = ready(world, 2, phones=True)
    notice_id = begin(world.context, reference, world.controller, channels=["email"])
    run(world)
    (first, *_) = notices.ledger(world.context, writer(world.controller), notice_id)
    bounce = StatusReport(
        ReportedState.FAILED, "bounce-1", provider_id=first.delivery.provider_id, reason="bounce", code="550"
    )
    world.tracker.engine.receive("postman", [bounce])
    run(world)
    now = status(world, notice_id)
    assert (now.state, now.reached, now.counts["failed"]) == ("finished", 1, 1)
    assert notices.retry(world.context, writer(world.controller), notice_id, channel="sms") == 1
    run(world)
    assert status(world, notice_id).reached == 2


def test_who_had_no_address_for_the_channel_is_told_over_the_other(world: World) -> None:
    reference = world.open()
    world.aware(reference)
    make_people(world.context, reference, [("A", "a@example.org", "", "da"), ("B", "", "+4534410002", "da")])
    world.tick()
    world.sms.carried.clear()
    notice_id = begin(world.context, reference, world.controller, channels=["email"])
    run(world)
    assert status(world, notice_id).unreachable == 1
    assert notices.retry(world.context, writer(world.controller), notice_id, channel="sms") == 1
    run(world)
    now = status(world, notice_id)
    assert (now.recipients, now.unreachable, now.reached) == (2, 0, 2)


def test_who_came_to_the_list_after_the_end_is_told_and_nobody_else_again(world: World) -> None:
    reference = ready(world, 2)
    notice_id = begin(world.context, reference, world.controller, channels=["email"])
    run(world)
    world.clock.advance(hours=1)
    make_people(world.context, reference, [("Late", "person9@example.org", "", "da")])
    assert notices.retry(world.context, writer(world.controller), notice_id, channel="email") == 1
    run(world)
    assert sorted(told(world)) == ["person0@example.org", "person1@example.org", "person9@example.org"]
    assert (status(world, notice_id).recipients, status(world, notice_id).reached) == (3, 3)


def test_messages_in_doubt_keep_a_notice_open_until_somebody_decides(world: World) -> None:
    reference = ready(world, 2)
    world.mail.answer = lambda message: Unknown(message.attempt, "no answer")
    notice_id = begin(world.context, reference, world.controller)
    run(world)
    now = status(world, notice_id)
    assert (now.state, now.counts["in_doubt"]) == ("sending", 2)
    assert "doubt" in now.held_up
    settled = notices.settle_doubts(
        world.context, second(world.controller), notice_id, decision=notices.Decision.SENT, reason="Set i loggen"
    )
    assert settled == 2
    run(world)
    assert shown(world, notice_id).state == "finished"
    assert "doubts_settled" in world.kinds(reference)


def test_many_failures_pause_the_sending_and_call_whoever_is_on_call_once(world: World) -> None:
    reference = ready(world, 100)
    world.mail.answer = lambda message: Refused(message.attempt, RefusalKind.ADDRESS, "no such address", "550")
    notice_id = begin(world.context, reference, world.controller)
    world.tracker.engine.drain(NEVER)
    world.clock.advance(seconds=5)
    make_people(world.context, reference, [("Late", "late@example.org", "", "da")])
    with world.context.database.writing() as session:  # somebody is still to be told
        rows.keep_sending(session, replace(shown(world, notice_id), all_told=False))
    notices.go_on(world.context, world.clock())
    now = status(world, notice_id)
    assert now.state == "paused"
    assert now.held_up == "more than a quarter of the messages failed"
    run(world)
    calls = [one.text() for one in world.sms.carried]
    assert calls == [
        f"{reference}: udsendelsen til de berørte er sat på pause, fordi noget er galt. Log ind for at se hvad."
    ]
    world.mail.answer = accepted
    notices.resume(world.context, writer(world.controller), notice_id)
    run(world)
    assert shown(world, notice_id).state == "finished"
    assert len(world.sms.carried) == 1


def test_a_sender_whose_set_up_is_wrong_pauses_the_sending(world: World) -> None:
    reference = ready(world, 2)
    world.mail.answer = lambda message: NotSent(message.attempt, "401", "401", setup=True)
    notice_id = begin(world.context, reference, world.controller, channels=["email"])
    run(world)
    now = status(world, notice_id)
    assert now.state == "paused"
    assert "no other way out" in now.held_up
    with world.context.database.reading() as session:
        assert lanes.states(session)["postman"].paused_at is not None


def test_where_nobody_is_on_call_the_administrators_hear_of_the_trouble(world: World) -> None:
    reference = ready(world, 2)
    make_user(world.context, world.controller, Role.ADMINISTRATOR, "eva@example.dk", "Eva")
    with world.context.database.writing() as session:
        for contact in world.contacts:
            controller_rows.remove_contact(session, contact.id, world.clock())
    world.sms.answer = lambda message: NotSent(message.attempt, "401", "401", setup=True)
    texts = {"da": replace(DANISH, sms="Vigtigt. Ref. {{reference}}")}
    make_people(world.context, reference, [("Only phone", "", "+4534410099", "da")])
    begin(world.context, reference, world.controller, texts=texts)
    run(world)
    calls = [row for row in world.deliveries() if row.once.startswith("notice_trouble:")]
    assert [(row.channel, row.purpose, row.contact_id) for row in calls] == [("email", "escalation", None)]


def test_a_test_goes_to_ones_own_mail_and_names_nobody_of_the_list(world: World) -> None:
    reference = ready(world)
    notice_id = make_notice(world.context, reference)
    with pytest.raises(notices.NobodyToTestOn):
        notices.send_test(world.context, SHELL, notice_id)
    user = make_user(world.context, world.controller, Role.RESPONDER, "clara@example.dk", "Clara")
    sent = notices.send_test(world.context, make_actor(world.controller, Role.RESPONDER, user.id), notice_id)
    assert len(sent) == 2
    run(world)
    mails = [one for one in world.mail.carried if one.address == "clara@example.dk"]
    assert sorted(one.subject() for one in mails) == [
        "[Prøve] Vigtigt om dine oplysninger",
        "[Test] Important: your data",
    ]
    assert all("Person" not in one.text() for one in mails)
    assert any("Kære Clara\n" in one.text() for one in mails)
    assert shown(world, notice_id).state == "draft"


def test_a_preview_is_filled_for_somebody_on_the_list_or_for_nobody(world: World) -> None:
    reference = ready(world, 0)
    notice_id = make_notice(world.context, reference)
    actor = writer(world.controller)
    invented = notices.preview(world.context, actor, notice_id, language="da", channel="email")
    assert "Kære Anna Eksempel\n" in invented.text
    make_people(world.context, reference, crowd(3, phones=True))
    mail = notices.preview(world.context, actor, notice_id, language="en", channel="email")
    assert "Dear Person 2\n" in mail.text
    assert mail.html is not None
    sms = notices.preview(world.context, actor, notice_id, language="da", channel="sms")
    assert (sms.encoding, sms.segments, sms.html) == ("gsm7", 1, None)


def test_the_audience_is_counted_by_language_and_channel(world: World) -> None:
    reference = ready(world, 0)
    listed = [
        ("A", "a@example.org", "+4534410001", "da"),
        ("B", "", "+4534410002", "en"),
        ("C", "", "", "da"),
        ("Ægir", "", "+4534410003", "da"),
    ]
    make_people(world.context, reference, listed)
    texts = {name: replace(one, sms="{{name}}: vigtigt. Ref. {{reference}}") for name, one in TEXTS.items()}
    notice_id = make_notice(world.context, reference, texts=texts)
    reach = notices.audience(world.context, writer(world.controller), notice_id)
    assert (reach.recipients, reach.unreachable) == (3, 1)
    assert reach.by_channel == {"email": 1, "sms": 2}
    assert reach.by_language == {"da": 2, "en": 1}
    assert reach.segments["da"] == notices.Segments(1, 1, "gsm7")


def test_a_correction_names_the_first_and_only_what_was_sent_can_be_corrected(world: World) -> None:
    reference = ready(world, 1)
    first = make_notice(world.context, reference)
    with pytest.raises(rules.NothingToCorrect):
        make_notice(world.context, reference, corrects=1)
    approve(world.context, first, world.controller)
    notices.begin(world.context, writer(world.controller), first)
    run(world)
    world.mail.carried.clear()
    second_notice = begin(world.context, reference, world.controller, corrects=1)
    run(world)
    (mail,) = world.mail.carried
    named = shown(world, first).public_reference
    assert f"Beskeden retter vores tidligere besked med reference {named}." in mail.text()
    page = notices.public(world.context, named)
    assert page is not None
    assert page.corrected_by == (shown(world, second_notice).public_reference,)


def test_the_public_page_shows_the_text_without_anybody_once_it_was_sent(world: World) -> None:
    reference = ready(world, 1)
    notice_id = make_notice(world.context, reference)
    public = shown(world, notice_id).public_reference
    assert notices.public(world.context, public) is None
    approve(world.context, notice_id, world.controller)
    notices.begin(world.context, writer(world.controller), notice_id)
    page = notices.public(world.context, public.lower().replace("-", " "))
    assert page is not None
    assert [one.language for one in page.texts] == ["da", "en"]
    assert page.texts[0].body.startswith("Kære\n")
    assert "Person" not in page.texts[0].html
    assert page.state == "sending"
    assert notices.public(world.context, public, slug="another") is None
    assert notices.public(world.context, public, slug=world.controller.slug) is not None
    assert notices.public(world.context, "23456789") is None
    notices.stop(world.context, second(world.controller), notice_id, reason="Forkert liste")
    stopped = notices.public(world.context, public)
    assert stopped is not None
    assert stopped.state == "stopped"


def test_a_closed_incident_takes_no_new_notice(world: World) -> None:
    reference = ready(world)
    notice_id = make_notice(world.context, reference)
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Kun testadresser.")
    with pytest.raises(IncidentIsClosed):
        make_notice(world.context, reference)
    with pytest.raises(IncidentIsClosed):
        notices.submit(world.context, writer(world.controller), notice_id, ticked=TICKS, dismissed={})


def test_a_notice_of_another_controller_is_not_there(world: World) -> None:
    reference = ready(world)
    notice_id = make_notice(world.context, reference)
    other = make_actor(make_controller(world.context, "Sydlys ApS"), Role.ADMINISTRATOR)
    for ask in (notices.show, notices.status, notices.audience, notices.begin, notices.ledger):
        with pytest.raises(NotFound):
            ask(world.context, other, notice_id)


def test_broken_off_at_any_chunk_nobody_is_written_twice(either: World) -> None:
    world = either
    reference = ready(world, 1300)
    notice_id = make_notice(world.context, reference)
    approve(world.context, notice_id, world.controller)
    notices.begin(world.context, writer(world.controller), notice_id)
    in_threads(3, lambda _: feeding.feed(world.context, notice_id))
    run(world)
    assert len(set(told(world))) == len(told(world)) == 1300
    one = shown(world, notice_id)
    assert (one.recipients, one.state) == (1300, "finished")


def test_a_processor_tells_its_controllers_not_the_people(world: World) -> None:
    reference = world.open(role=PartyRole.PROCESSOR)
    world.aware(reference)
    make_people(world.context, reference, crowd(1))
    world.tick()
    begin(world.context, reference, world.controller)
    run(world)
    assert world.standing(reference, "notify_controller") == "open"


def test_who_came_later_is_counted_until_she_is_told_over_a_channel_that_she_has(world: World) -> None:
    reference = ready(world, 2)
    notice_id = begin(world.context, reference, world.controller, channels=["email"])
    assert status(world, notice_id).came_later == 0
    run(world)
    world.clock.advance(hours=1)
    make_people(world.context, reference, [("Late", "person9@example.org", "", "da")])
    assert status(world, notice_id).came_later == 1
    with pytest.raises(NobodyUnreached):
        notices.retry(world.context, writer(world.controller), notice_id, channel="sms")
    assert (status(world, notice_id).came_later, status(world, notice_id).unreachable) == (1, 0)
    notices.retry(world.context, writer(world.controller), notice_id, channel="email")
    assert status(world, notice_id).came_later == 0


def test_what_was_under_way_when_a_notice_was_stopped_does_not_wait_for_ever(either: World) -> None:
    world = either
    reference = ready(world, 2)
    notice_id = begin(world.context, reference, world.controller, channels=["email"])

    def stop_meanwhile(message: Message) -> Outcome:
        if shown(world, notice_id).state == "sending":
            notices.stop(world.context, second(world.controller), notice_id, reason="Forkert liste")
        return NotSent(message.attempt, "503", "503")

    world.mail.answer = stop_meanwhile
    world.tracker.engine.drain(NEVER)
    assert status(world, notice_id).counts["pending"] == 2
    run(world)
    assert status(world, notice_id).counts["cancelled"] == 2


def test_telling_anew_over_a_channel_that_is_shut_pauses_the_sending(make_quick_world: MakeWorld) -> None:
    world = make_quick_world(routing={"sms": ["postman"], "email": ["outbox"]})
    reference = ready(world, 1)
    make_people(world.context, reference, [("Only phone", "", "+4534410099", "da")])
    notice_id = begin(world.context, reference, world.controller, channels=["email"])
    run(world)
    with world.context.database.writing() as session:
        lanes.pause(session, "postman", "401", world.clock(), world.clock())
    notices.retry(world.context, writer(world.controller), notice_id, channel="sms")
    notices.go_on(world.context, world.clock())
    now = status(world, notice_id)
    assert (now.state, "no other way out" in now.held_up) == ("paused", True)


def test_telling_anew_broken_off_in_the_middle_is_ended_by_the_clock(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = ready(world, 2, phones=True)
    world.mail.answer = refusing("person0@example.org", "person1@example.org")
    notice_id = begin(world.context, reference, world.controller, channels=["email"])
    run(world)
    monkeypatch.setattr(retrying, "CHUNK", 1)
    whole, asked = retrying._next, iter((True, False))

    def once(*args: Any) -> Any:
        if not next(asked):
            raise ConnectionError
        return whole(*args)

    monkeypatch.setattr(retrying, "_next", once)
    with pytest.raises(ConnectionError):
        notices.retry(world.context, writer(world.controller), notice_id, channel="sms")
    run(world)
    now = status(world, notice_id)
    assert (now.state, now.reached, now.counts["pending"]) == ("finished", 1, 0)


def test_what_lies_in_the_outbox_of_this_machine_has_reached_nobody(make_quick_world: MakeWorld) -> None:
    world = make_quick_world(routing={"sms": ["postman"], "email": ["outbox"]})
    reference = ready(world, 2)
    notice_id = begin(world.context, reference, world.controller, channels=["email"])
    run(world)
    now = status(world, notice_id)
    assert (now.state, now.kept_here, now.reached) == ("finished", 2, 0)
    assert world.standing(reference, "notify_people") != "met"
    practised = ready(world, 2, exercise=True)
    notice_id = begin(world.context, practised, world.controller, channels=["email"])
    run(world)
    assert (status(world, notice_id).kept_here, status(world, notice_id).reached) == (0, 2)


def test_a_sending_that_only_a_person_can_move_is_counted(world: World) -> None:
    reference = ready(world, 2)
    theirs = frozenset({world.controller.id})

    def standing() -> tuple[int, list[tuple[str, int]]]:
        with world.context.database.reading() as session:
            return rows.count_standing(session, theirs), rows.standing(session, theirs, 9)

    world.mail.answer = lambda message: Unknown(message.attempt, "no answer")
    notice_id = begin(world.context, reference, world.controller)
    assert standing() == (0, [])
    run(world)
    assert standing() == (1, [(reference, 1)])
    notices.pause(world.context, writer(world.controller), notice_id)
    assert standing() == (1, [(reference, 1)])
    daily_mail.send(world.context, world.controller, world.clock())
    world.tracker.engine.drain(NEVER)
    assert "1 udsendelse af en underretning er sat på pause eller venter" in world.mail.carried[-1].text()
    notices.stop(world.context, second(world.controller), notice_id, reason="Forkert liste")
    assert standing() == (0, [])


def test_nobody_more_is_told_once_it_is_no_breach(world: World) -> None:
    reference = ready(world, 2)
    notice_id = begin(world.context, reference, world.controller, channels=["email"])
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Kun testadresser.")
    notices.go_on(world.context, world.clock())
    now = status(world, notice_id)
    assert (now.state, "found to be no breach" in now.held_up) == ("paused", True)
    with pytest.raises(IncidentIsClosed):
        notices.resume(world.context, writer(world.controller), notice_id)
    run(world)
    assert told(world) == []
    notices.stop(world.context, second(world.controller), notice_id, reason="Ikke et brud")
    assert status(world, notice_id).counts["cancelled"] == 2


def test_doubts_are_settled_and_the_sending_ends_after_the_incident(world: World) -> None:
    reference = ready(world, 1)
    world.mail.answer = lambda message: Unknown(message.attempt, "no answer")
    notice_id = begin(world.context, reference, world.controller)
    run(world)
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Kun testadresser.")
    run(world)
    actor = second(world.controller)
    notices.settle_doubts(world.context, actor, notice_id, decision=notices.Decision.SENT, reason="Set i loggen")
    run(world)
    assert shown(world, notice_id).state == "finished"
