"""The incident: what its first page says, deciding, settling duties, notes, owner, journal."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.deadlines import Obligation, is_settled
from incident_tracker.domain.incident import Status
from incident_tracker.domain.parties import OnCallContact, Role
from incident_tracker.services import alerts, incidents, register
from incident_tracker.services.clock import tick
from tests import four_eyes
from tests.four_eyes import set_aside
from tests.makers import HandClock, make_controller
from tests.web.conftest import Person
from tests.web.work import NAUGHTY, aware, census, log, words

Login = Callable[..., Person]
UNDER = ("", "/decide", "/deadlines", "/journal", "/contain", "/close", "/reopen")


@pytest.fixture(autouse=True)
def on_call(ben: OnCallContact) -> OnCallContact:
    return ben


@pytest.fixture
def suspicion(tracker: Tracker) -> str:
    return log(tracker, what_happened="Mappen stod åben.", place="Webserveren")


@pytest.fixture
def breach(tracker: Tracker, suspicion: str) -> str:
    aware(tracker, suspicion)
    return suspicion


def _version(tracker: Tracker, reference: str) -> str:
    return str(register.overview(tracker.context, SHELL, reference).version)


def _status(tracker: Tracker, reference: str) -> Status:
    return register.overview(tracker.context, SHELL, reference).incident.status


def test_an_alert_that_nobody_took_can_be_taken_from_the_incident(
    login: Login, tracker: Tracker, suspicion: str
) -> None:
    person = login()
    (alert,) = register.overview(tracker.context, SHELL, suspicion).alerts
    assert f'href="/alerts/{alert.id}"' in person.get(f"/incidents/{suspicion}").text
    assert f"/alerts/{alert.id}" not in login(Role.AUDITOR).get(f"/incidents/{suspicion}").text
    alerts.acknowledge(tracker.context, SHELL, suspicion, via="page")
    assert f"/alerts/{alert.id}" not in person.get(f"/incidents/{suspicion}").text


def test_two_reminders_of_one_hour_say_which_duty_each_is_about(
    login: Login, tracker: Tracker, breach: str, clock: HandClock
) -> None:
    clock.advance(hours=48)
    tick(tracker.context, "desk")
    said = words(login().get(f"/incidents/{breach}/journal?all=1"))
    assert "før fristen (Anmeld til Datatilsynet)" in said
    assert "før fristen (Informér alle parter)" in said or "før fristen (Fortæl alle parter)" in said


def test_a_suspicion_asks_one_question(login: Login, suspicion: str) -> None:
    page = login().get(f"/incidents/{suspicion}").text
    assert page.count("button-primary") == 1
    assert f'href="/incidents/{suspicion}/decide"' in page


@pytest.mark.parametrize("path", [*UNDER, "/scope", "/report", "/evidence"])
def test_every_page_of_an_exercise_says_so(login: Login, tracker: Tracker, path: str) -> None:
    drill, real = log(tracker, exercise=True), log(tracker)
    aware(tracker, drill)
    aware(tracker, real)
    person = login()
    page = person.get(f"/incidents/{drill}{path}").text
    assert page.count("banner-exercise") == 1
    assert page.count("status-exercise") == 1
    assert "banner-exercise" not in person.get(f"/incidents/{real}{path}").text


def test_a_breach_shows_its_time_its_duties_and_the_next_step(login: Login, breach: str) -> None:
    answer = login().get(f"/incidents/{breach}")
    assert answer.text.count("button-primary") == 1
    assert f'href="/incidents/{breach}/scope"' in answer.text
    assert 'role="timer"' in answer.text
    assert "data-due=" in answer.text
    assert "<table" in answer.text


@pytest.mark.parametrize("under", UNDER)
def test_looking_changes_nothing(login: Login, breach: str, under: str, db_hash: Callable[[], str]) -> None:
    person = login()
    person.get("/incidents")
    before = db_hash()
    assert person.get(f"/incidents/{breach}{under}").status_code == 200
    assert db_hash() == before


@pytest.mark.parametrize("under", UNDER)
def test_another_controllers_incident_answers_like_none(
    login: Login, tracker: Tracker, breach: str, under: str
) -> None:
    other = make_controller(tracker.context, "Skyhost A/S")
    stranger = login(Role.ADMINISTRATOR, other)
    there, nowhere = (stranger.get(f"/incidents/{one}{under}") for one in (breach, "2031-9999"))
    assert there.status_code == nowhere.status_code == 404
    assert words(there) == words(nowhere)


def test_naughty_words_are_text_on_every_page(login: Login, tracker: Tracker) -> None:
    plain = log(tracker, "En ganske almindelig titel", what_happened="Ord", place="Sted")
    naughty = log(tracker, NAUGHTY, what_happened=NAUGHTY, place=NAUGHTY)
    person = login()
    for one in (plain, naughty):
        text = "ord" if one == plain else NAUGHTY
        incidents.add_note(tracker.context, SHELL, one, text=text)
    for under in ("", "/decide", "/deadlines", "/journal"):
        assert census(person.get(f"/incidents/{plain}{under}")) == census(person.get(f"/incidents/{naughty}{under}"))
    for under in ("", "/journal"):
        assert "{{ 7*7 }}" in words(person.get(f"/incidents/{naughty}{under}"))


def test_deciding_starts_the_72_hours(login: Login, tracker: Tracker, suspicion: str, clock: HandClock) -> None:
    clock.advance(hours=2)
    url = f"/incidents/{suspicion}/decide"
    typed = {"decision": "aware", "at": "i dag 14.30", "reason": "Loggen viser det.", "version": "1"}
    answer = login(Role.RESPONDER).post(url, url, **typed)
    assert answer.location == f"/incidents/{suspicion}"
    found = register.overview(tracker.context, SHELL, suspicion)
    aware_at = found.incident.became_aware_at
    assert aware_at is not None
    assert aware_at.isoformat() == "2026-11-20T13:30:00+00:00"
    due = next(one.due_at for one, _ in found.obligations if one.duty == "notify_authority")
    assert due == aware_at + timedelta(hours=72)


@pytest.mark.parametrize(
    "wrong",
    [
        {"decision": "", "at": "nu", "reason": "Derfor"},
        {"decision": "aware", "at": "", "reason": "Derfor"},
        {"decision": "aware", "at": "i morgen 9", "reason": "Derfor"},
        {"decision": "aware", "at": "nu", "reason": "  "},
        {"decision": "not_a_breach", "at": "", "reason": ""},
    ],
)
def test_a_decision_without_its_parts_is_not_taken(
    login: Login, tracker: Tracker, suspicion: str, wrong: dict[str, str]
) -> None:
    url = f"/incidents/{suspicion}/decide"
    answer = login().post(url, url, **wrong, version="1")
    assert answer.status_code == 422
    assert wrong["reason"].strip() in answer.text
    assert _status(tracker, suspicion) is Status.SUSPECTED


def test_only_a_decision_maker_may_decide_against(login: Login, tracker: Tracker, suspicion: str) -> None:
    url = f"/incidents/{suspicion}/decide"
    typed = {"decision": "not_a_breach", "at": "", "reason": "Ingen personoplysninger.", "version": "1"}
    assert login(Role.RESPONDER).post(url, url, **typed).status_code == 403
    assert _status(tracker, suspicion) is Status.SUSPECTED
    assert login(Role.DECISION_MAKER).post(url, url, **typed).status_code == 303
    assert _status(tracker, suspicion) is Status.NOT_A_BREACH


def test_moving_the_time_says_the_old_one(login: Login, breach: str) -> None:
    page = words(login().get(f"/incidents/{breach}/decide"))
    assert "20 November 2026 at 14:00" in page or "20. november 2026 kl. 14.00" in page
    assert "Set i loggen." in page


def test_two_people_at_once_lose_nothing(login: Login, tracker: Tracker, suspicion: str) -> None:
    url = f"/incidents/{suspicion}/decide"
    old = _version(tracker, suspicion)
    incidents.contain(tracker.context, SHELL, suspicion, at=tracker.context.now(), how="Lukket")
    typed = {"decision": "aware", "at": "nu", "reason": "Mine egne ord om det."}
    person = login()
    answer = person.post(url, url, **typed, version=old)
    assert answer.status_code == 422
    assert "Mine egne ord om det." in answer.text
    assert _status(tracker, suspicion) is Status.SUSPECTED
    assert f'value="{_version(tracker, suspicion)}"' in answer.text
    assert person.post(url, url, **typed, version=_version(tracker, suspicion)).status_code == 303


def test_containing_moves_no_deadline(login: Login, tracker: Tracker, breach: str) -> None:
    before = [one.due_at for one, _ in register.overview(tracker.context, SHELL, breach).obligations]
    url = f"/incidents/{breach}/contain"
    version = _version(tracker, breach)
    answer = login(Role.RESPONDER).post(url, url, at="i dag 14.00", how="Mappen er lukket.", version=version)
    assert answer.status_code == 303
    found = register.overview(tracker.context, SHELL, breach)
    assert found.incident.contained_how == "Mappen er lukket."
    assert [one.due_at for one, _ in found.obligations] == before


def test_closing_over_open_duties_is_refused_with_their_names(login: Login, tracker: Tracker, breach: str) -> None:
    url = f"/incidents/{breach}/close"
    typed = {"reason": "Færdig", "reference": breach, "version": _version(tracker, breach)}
    answer = login().post(url, url, **typed)
    assert answer.status_code == 422
    assert "Færdig" in answer.text
    assert _status(tracker, breach) is Status.AWARE


def test_closing_asks_for_the_reference(login: Login, tracker: Tracker, breach: str) -> None:
    _settle_all(tracker, breach)
    person, url = login(), f"/incidents/{breach}/close"
    typed = {"reason": "Alt er gjort.", "version": _version(tracker, breach)}
    assert person.post(url, url, **typed, reference="2026-0002").status_code == 422
    assert _status(tracker, breach) is Status.AWARE
    assert person.post(url, url, **typed, reference=breach).status_code == 303
    assert _status(tracker, breach) is Status.CLOSED
    again = f"/incidents/{breach}/reopen"
    assert person.post(again, again, reason="Nyt spor", version=_version(tracker, breach)).status_code == 303
    assert _status(tracker, breach) is Status.AWARE


def test_a_duty_met_elsewhere_is_recorded_with_its_proof(login: Login, tracker: Tracker, breach: str) -> None:
    page = f"/incidents/{breach}/deadlines"
    typed = {
        "met-inform_parties-at": "nu",
        "met-inform_parties-how": "Brev til alle, i arkivet.",
        "met-inform_parties-version": _version(tracker, breach),
    }
    person = login(Role.RESPONDER)
    incomplete = typed | {"met-inform_parties-how": " "}
    assert person.post(f"{page}/promise/inform_parties/met", page, **incomplete).status_code == 422
    assert person.post(f"{page}/promise/inform_parties/met", page, **typed).status_code == 303
    assert "Brev til alle, i arkivet." in person.get(page).text


def test_setting_a_duty_aside_takes_role_reason_and_reference(login: Login, tracker: Tracker, breach: str) -> None:
    four_eyes.assess(tracker.context, breach)
    page = f"/incidents/{breach}/deadlines"
    url = f"{page}/gdpr/notify_people/aside"
    typed = {
        "aside-notify_people-reason": "Ingen høj risiko.",
        "aside-notify_people-reference": breach,
        "aside-notify_people-version": _version(tracker, breach),
    }
    responder = login(Role.RESPONDER)
    assert "aside-notify_people-reason" not in responder.get(page).text
    assert responder.post(url, page, **typed).status_code == 403
    person = login(Role.DECISION_MAKER)
    wrong = person.post(url, page, **(typed | {"aside-notify_people-reference": "x"}))
    assert wrong.status_code == 422
    assert "Ingen høj risiko." in wrong.text
    asked = person.post(url, page, **typed)
    assert asked.status_code == 303
    assert "Ingen høj risiko." in person.get(asked.headers["Location"]).text


def test_the_deadline_is_explained_with_the_longer_reading(login: Login, breach: str) -> None:
    page = words(login().get(f"/incidents/{breach}/deadlines"))
    assert "1182/71" in page
    assert "gdpr_33_1" in page


def test_a_duty_that_is_not_there_is_not_found(login: Login, breach: str) -> None:
    page = f"/incidents/{breach}/deadlines"
    assert login().post(f"{page}/gdpr/nothing/met", page).status_code == 404


def test_a_note_is_kept_and_an_empty_one_is_not(login: Login, breach: str) -> None:
    person, page = login(Role.RESPONDER), f"/incidents/{breach}"
    assert person.post(f"{page}/notes", page, text="  ").status_code == 422
    assert person.post(f"{page}/notes", page, text="Skyhost har svaret.").status_code == 303
    assert "Skyhost har svaret." in person.get(page).text
    assert "Skyhost har svaret." in person.get(f"{page}/journal").text


def test_the_lead_is_taken_and_given_back(login: Login, tracker: Tracker, breach: str) -> None:
    person, page = login(Role.RESPONDER), f"/incidents/{breach}"
    assert person.post(f"{page}/owner", page, take="me").status_code == 303
    assert register.overview(tracker.context, SHELL, breach).incident.owner_id is not None
    assert "Responder" in words(person.get(page))
    assert person.post(f"{page}/owner", page, owner="").status_code == 303
    assert register.overview(tracker.context, SHELL, breach).incident.owner_id is None


def test_an_auditor_reads_everything_and_changes_nothing(login: Login, breach: str) -> None:
    auditor, page = login(Role.AUDITOR), f"/incidents/{breach}"
    answer = auditor.get(page)
    assert answer.status_code == 200
    assert f'action="{page}/notes"' not in answer.text
    assert f'action="{page}/owner"' not in answer.text
    assert auditor.post(f"{page}/notes", page, text="x").status_code == 403
    assert auditor.get(f"{page}/contain").status_code == 403


def test_the_journal_says_who_knew_what_when_and_verifies(login: Login, breach: str) -> None:
    answer = login(Role.AUDITOR).get(f"/incidents/{breach}/journal?verify=yes")
    said = words(answer)
    assert "Ben" in said
    assert "Set i loggen." in said
    assert "Mappen stod åben." in said
    assert "Verified" in said or "Efterprøvet" in said


def test_the_list_filters_searches_and_pages_in_its_address(login: Login, tracker: Tracker) -> None:
    for number in range(52):
        incidents.open_incident(tracker.context, SHELL, title=f"Hændelse {number:02d}")
    aware(tracker, "2026-0001")
    person = login()
    first = person.get("/incidents").text
    assert "before=" in first
    assert "2026-0052" in first
    assert "2026-0001" not in first
    older = first.partition("before=")[2].partition('"')[0]
    assert "2026-0001" in person.get(f"/incidents?before={older}").text
    found = person.get("/incidents?status=aware&q=h%C3%A6ndelse").text
    assert "2026-0001" in found
    assert "2026-0002" not in found
    assert "2026-0033" in person.get("/incidents?q=H%C3%A6ndelse+32").text
    assert person.get("/incidents?before=abc&status=%00&q=%00").status_code == 200


def _settle_all(tracker: Tracker, reference: str) -> None:
    def running() -> list[Obligation]:
        found = register.overview(tracker.context, SHELL, reference).obligations
        return [one for one, _standing in found if not is_settled(one)]

    while duties := running():
        set_aside(tracker.context, reference, duties[0].regime, duties[0].duty, "Gælder ikke her.")
