"""The pages for everybody: no cookie, no account, nobody's words run, machines dropped, floods sent elsewhere."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from werkzeug.test import TestResponse

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.colours import OURS, ColourNotUsable, ColourTooPale, on_white, read, usable
from incident_tracker.domain.parties import ContactPoint, Controller, OnCallContact, Role
from incident_tracker.services import notices, public_places, questions, suspicions
from incident_tracker.services.trouble import NotSaved
from incident_tracker.store.tables import Table
from incident_tracker.store.tables.outbox import DeliveryRow, HeartbeatRow
from incident_tracker.store.tables.outside import SuspicionRow
from incident_tracker.store.tables.parties import ControllerRow
from incident_tracker.store.tables.telling import QuestionRow
from tests.makers import HandClock, make_controller
from tests.notices import begin, crowd, make_people, second, writer
from tests.web.conftest import Person
from tests.web.work import NAUGHTY, census, log, words

WHAT = "Jeg kan se andres ordrer, når jeg retter nummeret i linket."
TYPED = {"what": WHAT, "where": "nordlys.example.dk", "when": "i går aftes", "email": "kim@example.org", "phone": ""}
ASKED = {"kind": "question", "text": "Er mit kortnummer med?", "email": "kim@example.org"}
RECEIPT = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}")


@pytest.fixture
def anyone(app: Flask, nordlys: Controller, ben: OnCallContact) -> FlaskClient:
    """Somebody at a browser that refuses cookies."""
    assert nordlys
    assert ben
    return app.test_client(use_cookies=False)


@pytest.fixture
def notice(tracker: Tracker, nordlys: Controller) -> str:
    """Give the public reference of a notice that is being sent."""
    reference = log(tracker)
    make_people(tracker.context, reference, crowd(3))
    notice_id = begin(tracker.context, reference, nordlys)
    return notices.show(tracker.context, SHELL, notice_id).public_reference


def _token(anyone: FlaskClient, path: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', anyone.get(path).text)
    assert found, f"{path} holds no form"
    return found[1]


def _send(anyone: FlaskClient, clock: HandClock, path: str, typed: dict[str, str], **options: Any) -> TestResponse:
    """Open a form, take half a minute over it, and send it."""
    token = options.pop("token", None) or _token(anyone, path)
    clock.advance(seconds=30)
    return anyone.post(path, data={"form_token": token, **typed}, **options)


def _rows(tracker: Tracker, table: type[Table]) -> list[Any]:
    with tracker.context.database.reading() as session:
        return list(session.scalars(select(table)))


def _report(tracker: Tracker) -> suspicions.Shown:
    (one,) = suspicions.listing(tracker.context, SHELL)
    return one


def _asked(tracker: Tracker) -> list[questions.Shown]:
    return questions.listing(tracker.context, SHELL, "2026-0001")


def test_a_report_is_told_kept_and_answered_with_its_number(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock
) -> None:
    answer = _send(anyone, clock, "/report", TYPED)
    assert answer.status_code == 303
    shown = _report(tracker)
    assert answer.location == f"/report/received/{shown.receipt}"
    assert shown.told == suspicions.Told(WHAT, "nordlys.example.dk", "i går aftes", "kim@example.org")
    thanks = words(anyone.get(answer.location))
    assert shown.receipt in thanks
    assert "Den, der har vagt hos Nordlys ApS, får besked med det samme" in thanks
    assert "Bliver det værre, så vent ikke på os. Kontakt +45 34 41 23 45 eller ada@example.dk" in thanks


def test_only_what_was_seen_must_be_told(anyone: FlaskClient, tracker: Tracker, clock: HandClock) -> None:
    assert _send(anyone, clock, "/report", {"what": "En mappe ligger åbent"}).status_code == 303
    assert _report(tracker).told == suspicions.Told("En mappe ligger åbent")


def test_no_public_page_sets_a_cookie_or_names_a_third_party(
    anyone: FlaskClient, clock: HandClock, notice: str
) -> None:
    answers = [
        anyone.get(path)
        for path in (
            "/report",
            "/report?language=en",
            "/notice",
            f"/notice/{notice}",
            f"/notice/{notice}?language=en",
            "/notice/2222-2222",
            "/colours.css",
            "/report/received/K7M4-2QRD",
            f"/notice/{notice}/asked/K7M4-2QRD",
            "/c/nobody/report",
        )
    ]
    answers += [
        _send(anyone, clock, "/report", TYPED),
        _send(anyone, clock, "/report", TYPED | {"what": ""}),
        _send(anyone, clock, f"/notice/{notice}", ASKED),
        anyone.post("/report", data={"what": "x"}),
        anyone.post("/report", data={"what": "x" * 200_000}),
        anyone.put("/report"),
    ]
    for answer in answers:
        assert "Set-Cookie" not in answer.headers, answer.request.path
        loaded = re.findall(r'(?:src|href|action)="([^"]+)"', answer.text)
        elsewhere = [one for one in loaded if not one.startswith(("/", "#", "?", "tel:", "mailto:"))]
        assert set(elsewhere) <= {"https://www.datatilsynet.dk/"}, answer.request.path
        assert "style=" not in answer.text
        assert "<script>" not in answer.text
        if answer.status_code == 200 and answer.mimetype == "text/html":
            assert answer.headers["X-Robots-Tag"] == "noindex"
            assert '<meta name="robots" content="noindex' in answer.text


def test_the_language_is_the_links_else_the_browsers_and_needs_no_cookie(anyone: FlaskClient) -> None:
    def speaks(answer: TestResponse) -> str:
        return "da" if "Hvad har du set?" in answer.text else "en" if "What have you seen?" in answer.text else ""

    english = {"Accept-Language": "en-GB,en;q=0.9"}
    assert speaks(anyone.get("/report")) == "da"
    assert speaks(anyone.get("/report", headers=english)) == "en"
    assert speaks(anyone.get("/report?language=da", headers=english)) == "da"
    chosen = anyone.get("/report?language=en")
    assert speaks(chosen) == "en"
    assert 'action="/report?language=en"' in chosen.text, "the form keeps the language"
    assert speaks(anyone.get("/report?language=xx")) == "da"


def test_who_sends_a_form_in_english_is_answered_in_english(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock
) -> None:
    answer = _send(anyone, clock, "/report?language=en", TYPED)
    assert answer.location.endswith("?language=en")
    assert "Your receipt number" in anyone.get(answer.location).text
    told = _report(tracker).told
    assert told is not None
    assert told.language == "en"


def test_pages_answer_while_the_clock_is_stopped(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock, notice: str
) -> None:
    with tracker.context.database.writing() as session:
        session.execute(delete(HeartbeatRow))
    assert anyone.get("/readyz").status_code == 503
    assert anyone.get("/report").status_code == 200
    assert anyone.get(f"/notice/{notice}").status_code == 200
    assert _send(anyone, clock, "/report", TYPED).status_code == 303


def test_the_same_form_sent_twice_is_one_report(anyone: FlaskClient, tracker: Tracker, clock: HandClock) -> None:
    token = _token(anyone, "/report")
    first = _send(anyone, clock, "/report", TYPED, token=token)
    assert _send(anyone, clock, "/report", TYPED, token=token).location == first.location
    assert len(_rows(tracker, SuspicionRow)) == 1
    assert _send(anyone, clock, "/report", TYPED | {"what": "Mere"}, token=token).location != first.location


def test_what_a_machine_sends_is_answered_alike_dropped_and_counted(
    anyone: FlaskClient, tracker: Tracker, nordlys: Controller, clock: HandClock
) -> None:
    answer = _send(anyone, clock, "/report", TYPED | {"website": "http://buy.example.org"})
    assert answer.status_code == 303
    assert RECEIPT.search(answer.location)
    assert anyone.get(answer.location).status_code == 200
    assert _rows(tracker, SuspicionRow) == []
    assert suspicions.count_trapped(tracker.context, nordlys.id) == 1


def test_who_is_quicker_than_a_person_is_asked_to_press_again(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock
) -> None:
    token = _token(anyone, "/report")
    answer = anyone.post("/report", data={"form_token": token, **TYPED})
    assert answer.status_code == 422
    assert "Det gik meget hurtigt" in words(answer)
    assert WHAT in answer.text
    assert _rows(tracker, SuspicionRow) == []
    assert token in answer.text
    assert _send(anyone, clock, "/report", TYPED, token=token).status_code == 303


def test_a_form_that_is_old_or_not_ours_is_shown_again_with_its_words(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock
) -> None:
    token = _token(anyone, "/report")
    clock.advance(hours=13)
    for given, headers in (
        (token, {}),
        ("", {}),
        (f"{token}x", {}),
        (_token(anyone, "/report"), {"Origin": "https://evil.example.org"}),
        (_token(anyone, "/report"), {"Sec-Fetch-Site": "cross-site"}),
    ):
        answer = _send(anyone, clock, "/report", TYPED, token=given or "x", headers=headers)
        assert answer.status_code == 422, (given, headers)
        assert "Formularen er for gammel" in words(answer)
        assert WHAT in answer.text
    assert _rows(tracker, SuspicionRow) == []


def test_a_token_of_one_form_is_worthless_in_another(anyone: FlaskClient, clock: HandClock, notice: str) -> None:
    answer = _send(anyone, clock, f"/notice/{notice}", ASKED, token=_token(anyone, "/report"))
    assert answer.status_code == 422


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock
) -> None:
    answer = _send(anyone, clock, "/report", TYPED | {"email": "kim at example"})
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert WHAT in answer.text
    assert "i går aftes" in answer.text
    assert _rows(tracker, SuspicionRow) == []


@pytest.mark.parametrize("email", ["k@example.org\r\nBcc: e@example.org", "k@example.org\nX: y", "k@ex\0ample.org"])
def test_a_line_break_in_an_address_is_refused(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock, notice: str, email: str
) -> None:
    assert _send(anyone, clock, "/report", TYPED | {"email": email}).status_code == 422
    assert _send(anyone, clock, f"/notice/{notice}", ASKED | {"email": email}).status_code == 422
    assert (_rows(tracker, SuspicionRow), _rows(tracker, QuestionRow)) == ([], [])


def test_large_bodies_are_refused_before_they_are_read(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock, notice: str
) -> None:
    for path in ("/report", f"/notice/{notice}"):
        for size in (200_000, 1_000_000, 5_000_000):
            assert _send(anyone, clock, path, {"what": "x" * size}).status_code == 413
    assert _rows(tracker, SuspicionRow) == []


def test_a_flood_from_one_address_is_told_to_write_instead_and_nothing_typed_is_lost(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock
) -> None:
    token = _token(anyone, "/report")
    clock.advance(seconds=30)
    answers = [anyone.post("/report", data={"form_token": token, **TYPED, "when": str(n)}) for n in range(200)]
    assert [one.status_code for one in answers].count(303) == 10
    last = answers[-1]
    assert last.status_code == 429
    assert 1 <= int(last.headers["Retry-After"]) <= 61
    assert "Kontakt os direkte i stedet: +45 34 41 23 45 eller ada@example.dk" in words(last)
    assert WHAT in last.text
    assert len(_rows(tracker, SuspicionRow)) == 10
    clock.advance(minutes=1)
    assert anyone.post("/report", data={"form_token": token, **TYPED}).status_code == 303


def test_a_flood_from_many_addresses_leaves_few_reports_and_never_an_sms_to_its_number(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock, ben: OnCallContact
) -> None:
    token = _token(anyone, "/report")
    clock.advance(seconds=30)
    codes = [
        anyone.post(
            "/report",
            data={"form_token": token, **TYPED, "phone": "+45 32 12 34 56", "when": str(number)},
            environ_overrides={"REMOTE_ADDR": f"10.{number % 250}.{number // 250}.9"},
        ).status_code
        for number in range(2000)
    ]
    assert codes.count(303) == 60
    assert codes.count(429) == 1940
    suspicions.paging.tell(tracker.context)
    (told,) = _rows(tracker, DeliveryRow)
    assert told.contact_id == ben.id


def test_a_forged_address_does_not_open_a_new_door(anyone: FlaskClient, clock: HandClock) -> None:
    token = _token(anyone, "/report")
    clock.advance(seconds=30)
    codes = [
        anyone.post(
            "/report",
            data={"form_token": token, **TYPED, "when": str(number)},
            headers={"X-Forwarded-For": f"192.0.2.{number}"},
        ).status_code
        for number in range(12)
    ]
    assert codes.count(429) == 2


def test_links_in_a_report_are_kept_as_text(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock, login: Callable[..., Person]
) -> None:
    _send(anyone, clock, "/report", TYPED | {"what": "http://192.0.2.1/x javascript:alert(1)"})
    page = login().get(f"/inbox/{_report(tracker).id}").text
    assert "http://192.0.2.1/x" in page
    assert 'href="http://192.0.2.1' not in page


def test_naughty_words_add_no_element_to_any_page(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock, login: Callable[..., Person], notice: str
) -> None:
    ada = login()
    seen = []
    for text in ("En mappe", NAUGHTY):
        _send(anyone, clock, "/report", TYPED | {"what": text, "where": text, "when": text, "phone": text[:40]})
        one = _report(tracker)
        _send(anyone, clock, f"/notice/{notice}", ASKED | {"text": text})
        asked = _asked(tracker)[-1]
        wrong = _send(anyone, clock, "/report", {"what": "", "where": text, "when": text, "phone": text[:40]})
        question = f"/incidents/2026-0001/questions/{asked.id}"
        pages = [ada.get("/inbox"), ada.get(f"/inbox/{one.id}"), wrong, ada.get(question)]
        suspicions.dismiss(tracker.context, SHELL, one.id, reason=text)
        questions.close(tracker.context, SHELL, asked.id, reason=text)
        pages += [ada.get(f"/inbox/{one.id}"), ada.get(question)]
        lists = [ada.get("/inbox?state=settled"), ada.get("/incidents/2026-0001/questions")]
        seen.append([census(page) for page in pages] + [census(page)["script"] for page in lists])
    assert seen[0] == seen[1]


def test_with_several_controllers_the_plain_address_asks_which_and_names_no_more(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock, nordlys: Controller
) -> None:
    skyhost = make_controller(tracker.context, "Skyhost A/S", contact=ContactPoint("Clara", "clara@example.org", ""))
    plain = anyone.get("/report")
    assert "Nordlys ApS" in plain.text
    assert "Skyhost A/S" in plain.text
    for secret in ("ada@example.dk", "clara@example.org", "34 41 23 45", "00 00 00 00", "form_token"):
        assert secret not in plain.text
    assert anyone.post("/report", data=TYPED).status_code == 404
    answer = _send(anyone, clock, f"/c/{skyhost.slug}/report", TYPED)
    assert answer.location.startswith(f"/c/{skyhost.slug}/report/received/")
    (row,) = _rows(tracker, SuspicionRow)
    assert row.controller_id == skyhost.id
    assert anyone.get(f"/c/{nordlys.slug}/report").status_code == 200


def test_an_address_with_an_unknown_name_is_not_found(anyone: FlaskClient) -> None:
    assert anyone.get("/c/nobody/report").status_code == 404
    assert anyone.post("/c/nobody/report", data=TYPED).status_code == 404


def test_the_band_has_the_controllers_colour_or_ours(
    anyone: FlaskClient, tracker: Tracker, nordlys: Controller
) -> None:
    for kept, shown in (("#2F2A78", "#2F2A78"), ("", OURS), ("#FFEE00", OURS), ("red;} body{", OURS)):
        with tracker.context.database.writing() as session:
            session.execute(update(ControllerRow).where(ControllerRow.id == nordlys.id).values(colour=kept))
        answer = anyone.get(f"/c/{nordlys.slug}/colours.css")
        assert (answer.mimetype, answer.text) == ("text/css", f":root {{ --house: {shown}; }}\n")
        assert f'href="/c/{nordlys.slug}/colours.css"' in anyone.get("/report").text


def test_a_colour_on_which_white_cannot_be_read_is_refused() -> None:
    assert round(on_white("#2F2A78"), 2) == 12.19
    assert read(" #2f2a78 ") == "#2F2A78"
    assert read("") == ""
    assert usable("#777777") == OURS
    assert usable("#767676") == "#767676"
    with pytest.raises(ColourTooPale):
        read("#777777")
    for text in ("red", "#FFF", "#2F2A7", "#2F2A78;", "2F2A78"):
        with pytest.raises(ColourNotUsable):
            read(text)


def test_a_notice_that_was_sent_is_said_to_be_real_with_the_same_text(anyone: FlaskClient, notice: str) -> None:
    page = anyone.get(f"/notice/{notice}")
    assert page.status_code == 200
    said = words(page)
    assert (
        "Er denne besked ægte? Ja. Nordlys ApS har sendt den den 20. november 2026. "
        "Teksten nedenfor er den samme som i din besked. "
        "Vi beder aldrig om CPR-nummer, adgangskode eller kortoplysninger."
    ) in said
    assert f"Reference i din besked {notice}" in said
    for part in ("Vigtigt om dine oplysninger", "Hvad er der sket?", "Slet nyhedsbrevet i dag"):
        assert part in said
    assert "Person 0" not in said
    assert "{{" not in page.text
    english = words(anyone.get(f"/notice/{notice}?language=en"))
    assert "Is this message real? Yes. Nordlys ApS sent it on 20 November 2026." in english
    assert "On Friday 20 November we sent a newsletter" in english


@pytest.mark.parametrize("typed", ["{0}", "{1}", "{2}", " {0} "])
def test_a_reference_is_found_however_it_is_typed(anyone: FlaskClient, notice: str, typed: str) -> None:
    said = typed.format(notice, notice.lower(), notice.replace("-", ""))
    answer = anyone.get("/notice", query_string={"reference": said})
    assert anyone.get(answer.location).status_code == 200


def test_every_wrong_reference_is_answered_by_the_same_calm_page(
    anyone: FlaskClient, tracker: Tracker, nordlys: Controller, notice: str
) -> None:
    reference = log(tracker, "Endnu et brud")
    make_people(tracker.context, reference, crowd(1))
    draft = notices.create(
        tracker.context, writer(nordlys), reference, texts={"da": notices.NoticeText("A", "B")}, channels=["email"]
    )
    unsent = notices.show(tracker.context, SHELL, draft).public_reference
    skyhost = make_controller(tracker.context, "Skyhost A/S")
    answers = [
        anyone.get(f"/c/{nordlys.slug}/notice/{one}")
        for one in (unsent, "2222-2222", "x", "%00", "<script>", "2026-0001")
    ]
    assert {one.status_code for one in answers} == {404}
    assert len({one.text.partition("<main")[2].partition("</main>")[0] for one in answers}) == 1
    assert "Vi kender ingen besked med den reference" in words(answers[0])
    assert "Du kan altid spørge os: +45 34 41 23 45 eller ada@example.dk" in words(answers[0])
    theirs = anyone.get(f"/c/{skyhost.slug}/notice/{notice}")
    assert theirs.status_code == 404
    moved = anyone.get(f"/notice/{notice}")
    assert moved.location == f"/c/{nordlys.slug}/notice/{notice}"


def test_who_guesses_references_is_slowed_down_and_looking_changes_nothing(
    anyone: FlaskClient, clock: HandClock, notice: str, db_hash: Callable[[], str]
) -> None:
    before = db_hash()
    codes = [anyone.get(f"/notice/2222-22{number:02}").status_code for number in range(40)]
    assert codes == [404] * 30 + [429] * 10
    assert "Vent et minut" in words(anyone.get(f"/notice/{notice}"))
    assert anyone.get(f"/notice/{notice}", environ_overrides={"REMOTE_ADDR": "192.0.2.9"}).status_code == 200
    clock.advance(minutes=1)
    assert anyone.get(f"/notice/{notice}").status_code == 200
    assert db_hash() == before


def test_looking_with_get_or_head_changes_nothing(
    anyone: FlaskClient, notice: str, db_hash: Callable[[], str]
) -> None:
    before = db_hash()
    for path in ("/report", "/notice", f"/notice/{notice}", f"/notice/{notice}/asked/K7M4-2QRD", "/colours.css"):
        assert anyone.get(path).status_code == 200
        assert anyone.head(path).status_code == 200
    assert db_hash() == before


def test_a_stopped_notice_and_a_corrected_one_say_so(
    anyone: FlaskClient, tracker: Tracker, nordlys: Controller, notice: str
) -> None:
    (first,) = notices.of_incident(tracker.context, SHELL, "2026-0001")
    notices.stop(tracker.context, second(nordlys), first.id, reason="Forkert dato")
    assert "Vi stoppede udsendelsen, før alle havde fået den" in words(anyone.get(f"/notice/{notice}"))
    new = begin(tracker.context, "2026-0001", nordlys, corrects=first.number)
    correction = notices.show(tracker.context, SHELL, new).public_reference
    assert f"Vi har rettet denne besked. Læs rettelsen, {correction}" in words(anyone.get(f"/notice/{notice}"))
    assert f"Læs den tidligere, {notice}" in words(anyone.get(f"/notice/{correction}"))


def test_a_question_lands_on_the_incident(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock, notice: str
) -> None:
    answer = _send(anyone, clock, f"/notice/{notice}", ASKED)
    (one,) = _asked(tracker)
    assert one.asked == questions.Asked("Er mit kortnummer med?", "kim@example.org", "question", "da")
    assert answer.location == f"/notice/{notice}/asked/{one.receipt}"
    assert one.receipt in words(anyone.get(answer.location))


def test_that_it_was_not_meant_for_somebody_may_be_said_without_an_address(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock, notice: str
) -> None:
    assert _send(anyone, clock, f"/notice/{notice}", {"kind": "not_me", "text": "", "email": ""}).status_code == 303
    (one,) = _asked(tracker)
    assert one.asked is not None
    assert one.asked.kind == "not_me"


@pytest.mark.parametrize("changed", [{"text": " "}, {"email": ""}, {"text": "x" * 5001}])
def test_a_question_needs_words_and_an_address(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock, notice: str, changed: dict[str, str]
) -> None:
    answer = _send(anyone, clock, f"/notice/{notice}", ASKED | changed)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert _rows(tracker, QuestionRow) == []


def test_a_question_sent_twice_is_one_and_that_of_a_machine_none(
    anyone: FlaskClient, tracker: Tracker, clock: HandClock, notice: str
) -> None:
    token = _token(anyone, f"/notice/{notice}")
    first = _send(anyone, clock, f"/notice/{notice}", ASKED, token=token)
    assert _send(anyone, clock, f"/notice/{notice}", ASKED, token=token).location == first.location
    trapped = _send(anyone, clock, f"/notice/{notice}", ASKED | {"website": "x"})
    assert trapped.status_code == 303
    assert RECEIPT.search(trapped.location)
    assert len(_rows(tracker, QuestionRow)) == 1


def test_a_flood_of_questions_does_not_close_the_door_for_reports(
    anyone: FlaskClient, clock: HandClock, notice: str
) -> None:
    token = _token(anyone, f"/notice/{notice}")
    clock.advance(seconds=30)
    data = {"form_token": token, **ASKED}
    codes = [anyone.post(f"/notice/{notice}", data=data).status_code for _ in range(20)]
    assert codes.count(429) == 10
    assert _send(anyone, clock, "/report", TYPED).status_code == 303


def test_the_contact_is_the_officer_else_the_contact_point(tracker: Tracker) -> None:
    point = ContactPoint("", "brud@example.dk", "")
    only = make_controller(tracker.context, "Sydlys ApS", dpo=ContactPoint(), contact=point)
    assert public_places.reached_by(only) == point


def test_a_notice_page_needs_no_sign_in_and_gives_staff_nothing_more(
    anyone: FlaskClient, login: Callable[..., Person], notice: str
) -> None:
    theirs, hers = anyone.get(f"/notice/{notice}"), login(Role.ADMINISTRATOR).get(f"/notice/{notice}")
    without_token = re.compile(r'value="\d+\.[0-9a-f]+\.[0-9a-f]+"')
    assert without_token.sub("", theirs.text) == without_token.sub("", hers.text)


def test_while_the_database_does_not_answer_nothing_typed_is_lost_and_no_cookie_is_set(
    anyone: FlaskClient, clock: HandClock, notice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = {path: _token(anyone, path) for path in ("/report", f"/notice/{notice}")}

    def fail(*_: object) -> None:
        raise NotSaved(why="the disk is full")

    monkeypatch.setattr(public_places, "named", fail)
    for path, typed in (("/report", TYPED), (f"/notice/{notice}", ASKED)):
        answer = _send(anyone, clock, path, typed, token=tokens[path])
        assert answer.status_code == 503
        assert typed.get("what", typed.get("text")) in answer.text
        assert "Set-Cookie" not in answer.headers
        looked = anyone.get(path)
        assert looked.status_code == 503
        assert "Prøv igen om lidt" in words(looked)
