"""The outbox: read by those inside, answered as the phone would, settled by those who may decide."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import OnCallContact, Role
from incident_tracker.services import calling, outbox
from incident_tracker.store import lanes
from incident_tracker.store.tables.outbox import DeliveryRow
from tests.makers import make_controller
from tests.web.conftest import Person
from tests.web.work import NAUGHTY, log, turn, words

Login = Callable[..., Person]


@pytest.fixture
def message(tracker: Tracker, ben: OnCallContact) -> str:
    assert ben
    log(tracker)
    return outbox.listing(tracker.context, SHELL)[0].delivery.id


def _set(tracker: Tracker, delivery_id: str, **values: object) -> None:
    with tracker.context.database.writing() as session:
        session.execute(update(DeliveryRow).where(DeliveryRow.id == delivery_id).values(**values))


def test_an_empty_outbox_says_what_will_be_there(login: Login) -> None:
    assert login().get("/outbox").status_code == 200


def test_the_text_stands_there_and_ok_takes_the_alert(login: Login, tracker: Tracker, message: str) -> None:
    person = login(Role.RESPONDER)
    assert "2026-0001" in words(person.get("/outbox"))
    assert "Svar OK" in person.get(f"/outbox/{message}").text
    assert person.post(f"/outbox/{message}/reply", "/outbox", text="ok").status_code == 303
    turn(tracker)
    assert calling.open_alerts(tracker.context, SHELL) == []
    assert "Kvitteret: 2026-0001" in person.get("/outbox").text


def test_only_the_newest_message_has_a_reply_box(login: Login, tracker: Tracker, message: str) -> None:
    assert message
    log(tracker, "Endnu en")
    assert login().get("/outbox").text.count('class="reply"') == 1


@pytest.mark.parametrize("text", ["", "   ", "x" * 1001])
def test_a_reply_that_cannot_be_sent_is_not(login: Login, message: str, text: str) -> None:
    assert login().post(f"/outbox/{message}/reply", "/outbox", text=text).status_code == 422


def test_a_naughty_reply_stays_a_reply(login: Login, tracker: Tracker, message: str) -> None:
    person = login()
    assert person.post(f"/outbox/{message}/reply", "/outbox", text=NAUGHTY).status_code == 303
    turn(tracker)
    assert person.get("/outbox").status_code == 200


def test_a_message_that_left_the_house_is_not_shown_word_for_word(
    login: Login, tracker: Tracker, message: str
) -> None:
    _set(tracker, message, notifier="twilio_sms")
    person = login()
    assert "Svar OK" not in person.get("/outbox").text
    assert "Svar OK" not in person.get(f"/outbox/{message}").text
    assert person.post(f"/outbox/{message}/reply", "/outbox", text="OK").status_code == 422


def test_a_doubt_is_explained_and_settled_with_a_reason(login: Login, tracker: Tracker, message: str) -> None:
    _set(tracker, message, state="in_doubt")
    page = f"/outbox/{message}"
    assert 'name="decision"' not in login(Role.RESPONDER).get(page).text
    person = login(Role.DECISION_MAKER)
    assert person.post(f"{page}/settle", page, decision="sent", reason="").status_code == 422
    assert person.post(f"{page}/settle", page, decision="", reason="x").status_code == 422
    assert person.post(f"{page}/settle", page, decision="sent", reason="Ben har den.").status_code == 303
    assert outbox.show(tracker.context, SHELL, message).entry.delivery.state == "accepted"
    assert person.post(f"{page}/settle", page, decision="sent", reason="igen").status_code == 422
    assert "Ben har den." in person.get("/incidents/2026-0001/journal").text


def test_what_failed_goes_again_with_the_words_of_now(login: Login, tracker: Tracker, message: str) -> None:
    _set(tracker, message, state="failed")
    answer = login().post(f"/outbox/{message}/resend", f"/outbox/{message}")
    assert answer.status_code == 303
    turn(tracker)
    states = {one.delivery.id: one.delivery.state for one in outbox.listing(tracker.context, SHELL)}
    assert states.pop(message) == "failed"
    assert set(states.values()) == {"accepted"}


def test_a_paused_lane_is_opened_by_an_administrator(login: Login, tracker: Tracker) -> None:
    now = tracker.context.now()
    with tracker.context.database.writing() as session:
        lanes.ensure(session, ["twilio_sms"])
        lanes.pause(session, "twilio_sms", "401", now, now)
    assert "/outbox/lanes/" not in login(Role.RESPONDER).get("/outbox").text
    person = login()
    assert person.post("/outbox/lanes/twilio_sms/open", "/outbox").status_code == 303
    assert outbox.paused_lanes(tracker.context) == []


def test_another_controllers_message_answers_like_none(login: Login, tracker: Tracker, message: str) -> None:
    stranger = login(Role.ADMINISTRATOR, make_controller(tracker.context, "Skyhost A/S"))
    assert stranger.get(f"/outbox/{message}").status_code == 404
    assert message not in stranger.get("/outbox").text
    assert stranger.post(f"/outbox/{message}/reply", "/settings/account", text="OK").status_code == 404
    assert len(calling.open_alerts(tracker.context, SHELL)) == 1


def test_looking_changes_nothing(login: Login, message: str, db_hash: Callable[[], str]) -> None:
    person = login(Role.AUDITOR)
    before = db_hash()
    for url in ("/outbox", "/outbox?state=in_doubt", "/outbox?state=x&before=%00", f"/outbox/{message}"):
        assert person.get(url).status_code == 200
    assert db_hash() == before
