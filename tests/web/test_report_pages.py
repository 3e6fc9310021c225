"""The page of the report: answers in place, ticks, files, and the receipt of a filing."""

import io
import json
import re
from collections.abc import Callable

import pytest

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.services import attachments, incidents, register, reports, sign_in
from tests.makers import HandClock
from tests.web.conftest import COOKIE, Person

Login = Callable[..., Person]
NUMBER = "2ca746503d826e268cbc6d6f23c1543aa7b67c1d"


@pytest.fixture
def reference(tracker: Tracker, nordlys: Controller) -> str:
    """Give a confirmed breach."""
    found = incidents.open_incident(
        tracker.context,
        SHELL,
        title="Kundeliste lå åbent",
        what_happened="En liste lå åbent.",
        controller_id=nordlys.id,
    )
    incidents.record_awareness(tracker.context, SHELL, found, at=tracker.context.now(), reason="Set i loggen")
    return found


@pytest.fixture
def clara(login: Login) -> Person:
    return login(Role.RESPONDER)


def _url(reference: str, rest: str = "") -> str:
    return f"/incidents/{reference}/report{rest}"


def _row(page: str, key: str) -> str:
    """Return the row of a question."""
    found = re.search(rf'<li class="[^"]*" id="q-{key.replace(".", "-")}".*?</li>', page, re.DOTALL)
    assert found, f"no row for {key}"
    return found[0]


def _missing(page: str) -> int:
    return page.count('class="question question-missing')


def test_the_mark_of_the_unchecked_form_is_on_the_page(clara: Person, reference: str) -> None:
    assert "Ikke kontrolleret mod den aktuelle formular på Virk" in clara.get(_url(reference)).text


def test_the_primary_button_leads_to_the_first_answer_that_is_missing(clara: Person, reference: str) -> None:
    page = clara.get(_url(reference)).text
    assert page.count("button-primary") == 1
    target = re.search(r'button-primary"[^>]*href="#([^"]+)"', page)
    assert target
    rows = re.findall(r'class="question question-missing[^"]*" id="([^"]+)"', page)
    assert target[1] == rows[0]


def test_a_saved_answer_is_there_without_javascript(clara: Person, reference: str) -> None:
    before = _missing(clara.get(_url(reference)).text)
    answer = clara.post(_url(reference, "/answers/dk.measures_before"), _url(reference), answer="Adgangskoder")
    assert answer.status_code == 303
    assert answer.location.endswith("#q-dk-measures_before")
    page = clara.get(_url(reference)).text
    assert "Adgangskoder" in _row(page, "dk.measures_before")
    assert _missing(page) == before - 1


def test_htmx_gets_the_row_the_counts_and_the_rows_that_follow_from_it(clara: Person, reference: str) -> None:
    token = clara.token(_url(reference))
    answer = clara.browser.post(
        _url(reference, "/answers/dk.subjects_told"),
        data={"csrf_token": token, "answer": "told"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "Ja" in _row(answer.text, "dk.subjects_told")
    assert 'hx-swap-oob="true"' not in _row(answer.text, "dk.subjects_told")
    assert "question-missing" in _row(answer.text, "dk.told_at")
    assert "question-missing" not in _row(answer.text, "dk.not_told_reason")
    for part in ("report-count", "report-sections"):
        assert re.search(rf'id="{part}" hx-swap-oob="true"', answer.text)
    assert "dk-police" not in answer.text
    assert json.loads(answer.headers["HX-Trigger-After-Settle"])["saved"]["target"] == "#q-dk-subjects_told"


def test_an_answer_that_is_refused_stays_typed(clara: Person, reference: str) -> None:
    long = "x" * 20_001
    url = _url(reference, "/answers/dk.measures_before")
    answer = clara.post(url, _url(reference), answer=long)
    assert answer.status_code == 422
    assert long in _row(answer.text, "dk.measures_before")
    assert 'aria-invalid="true"' in _row(answer.text, "dk.measures_before")
    token = clara.token(_url(reference))
    fragment = clara.browser.post(url, data={"csrf_token": token, "answer": long}, headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert long in fragment.text


def test_a_warning_names_what_was_found_and_offers_to_correct_it(clara: Person, reference: str) -> None:
    clara.post(_url(reference, "/answers/dk.measures_taken"), _url(reference), answer="Ring 20 12 34 56")
    row = _row(clara.get(_url(reference)).text, "dk.measures_taken")
    assert "telefonnummer" in row
    assert "Ret svaret" in row


def test_a_tick_is_set_and_taken_off(clara: Person, reference: str) -> None:
    url = _url(reference, "/ticks/dk.description")
    for ticked, state in (("1", "true"), ("", "false")):
        assert clara.post(url, _url(reference), ticked=ticked).status_code == 303
        assert f'aria-checked="{state}"' in _row(clara.get(_url(reference)).text, "dk.description")


def test_the_draft_comes_in_the_other_language_too(clara: Person, reference: str) -> None:
    page = clara.get(_url(reference, "?in=en")).text
    assert "Not checked against the live form" in page
    assert '<html lang="da"' in page
    answer = clara.post(_url(reference, "/ticks/dk.type?in=en"), _url(reference), ticked="1")
    assert "in=en" in answer.location


@pytest.mark.parametrize(("kind", "start"), [("pdf", b"%PDF-"), ("html", b"<!doctype html>"), ("json", b"{")])
def test_the_draft_is_handed_out_as_a_file(clara: Person, reference: str, kind: str, start: bytes) -> None:
    answer = clara.get(_url(reference, f"/draft.{kind}"))
    assert answer.status_code == 200
    assert answer.data.lower().startswith(start.lower())
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert clara.get(_url(reference, "/draft.exe")).status_code == 404


def _filing(**typed: object) -> dict[str, object]:
    return {
        "version": "1",
        "filed_at": "nu",
        "reference": NUMBER,
        "phase": "initial",
        "no_receipt_reason": "Virk gav ingen",
        **typed,
    }


def test_filing_with_a_receipt_meets_the_duty_and_shows_the_frozen_version(
    clara: Person, tracker: Tracker, reference: str
) -> None:
    receipt = (io.BytesIO(b"%PDF-1.7 kvittering"), "kvittering.pdf")
    typed = _filing(receipt=receipt, no_receipt_reason="", journal_number="2026-441-1234")
    answer = clara.post(_url(reference, "/filed"), _url(reference, "/filed"), **typed)
    assert answer.status_code == 303
    shown = clara.get(answer.location).text
    overview = register.overview(tracker.context, SHELL, reference)
    filing = overview.incident.filings[0]
    assert filing.digest in shown
    assert "2026-441-1234" in shown
    (kept,) = attachments.listing(tracker.context, SHELL, reference)
    assert (kept.purpose, kept.id) == ("receipt", filing.receipt_id)
    assert {one.duty: str(how) for one, how in overview.obligations}["notify_authority"] == "met"
    assert "Udkast til version 2" in clara.get(_url(reference)).text
    for kind in ("pdf", "html", "json"):
        assert clara.get(_url(reference, f"/version-1.{kind}")).status_code == 200


def test_an_unusual_number_is_warned_about_once_and_then_taken(
    clara: Person, tracker: Tracker, reference: str
) -> None:
    page = _url(reference, "/filed")
    first = clara.post(page, page, **_filing(reference="abc"))
    assert first.status_code == 422
    assert "40 tegn" in first.text
    looked_at = re.search(r'name="looked_at"[^>]*value="([^"]*)"', first.text)
    assert looked_at
    second = clara.post(page, page, **_filing(reference="abc", looked_at=looked_at[1]))
    assert second.status_code == 303
    assert reports.filed(tracker.context, SHELL, reference)[0].version == 1


def test_a_receipt_is_kept_though_another_field_is_wrong(clara: Person, tracker: Tracker, reference: str) -> None:
    page = _url(reference, "/filed")
    receipt = (io.BytesIO(b"%PDF"), "kvittering.pdf")
    first = clara.post(page, page, **_filing(receipt=receipt, no_receipt_reason="", filed_at="i overmorgen"))
    assert first.status_code == 422
    assert "Allerede gemt: kvittering.pdf" in first.text
    assert f'value="{NUMBER}"' in first.text
    kept = re.search(r'name="kept_receipt"[^>]*value="([^"]+)"', first.text)
    assert kept
    second = clara.post(page, page, **_filing(no_receipt_reason="", kept_receipt=kept[1]))
    assert second.status_code == 303
    assert len(attachments.listing(tracker.context, SHELL, reference)) == 1


def test_the_reason_for_a_delay_is_asked_for_only_when_late_and_then_demanded(
    clara: Person, clock: HandClock, tracker: Tracker, reference: str
) -> None:
    page = _url(reference, "/filed")
    assert "late_reason" not in clara.get(page).text
    clock.advance(hours=73)
    clara = _again(clara, tracker)
    assert "late_reason" in clara.get(page).text
    refused = clara.post(page, page, **_filing())
    assert refused.status_code == 422
    assert "art. 33, stk. 1" in refused.text.casefold() or "artikel 33" in refused.text.casefold()
    assert clara.post(page, page, **_filing(late_reason="Vi ventede på Skyhost.")).status_code == 303
    assert "Vi ventede på Skyhost." in clara.get(_url(reference, "/versions/1")).text


def test_the_next_version_says_what_changed(clara: Person, reference: str) -> None:
    page = _url(reference, "/filed")
    assert clara.post(page, page, **_filing()).status_code == 303
    clara.post(_url(reference, "/answers/dk.police"), _url(reference), answer="no")
    assert "Ændret siden sidste version" in _row(clara.get(_url(reference)).text, "dk.police")
    assert clara.post(page, page, **_filing(version="2", phase="follow_up")).status_code == 303
    shown = clara.get(_url(reference, "/versions/2")).text
    assert "Ændret siden version 1" in shown
    assert "Er bruddet anmeldt til politiet?" in shown


def test_a_stale_form_files_nothing_twice(clara: Person, tracker: Tracker, reference: str) -> None:
    page = _url(reference, "/filed")
    clara.post(page, page, **_filing())
    again = clara.post(page, page, **_filing(phase="follow_up"))
    assert again.status_code == 422
    assert len(reports.filed(tracker.context, SHELL, reference)) == 1


def test_before_the_decision_the_page_says_so_and_offers_no_filing(
    clara: Person, tracker: Tracker, nordlys: Controller
) -> None:
    suspected = incidents.open_incident(tracker.context, SHELL, title="Måske", controller_id=nordlys.id)
    page = clara.get(_url(suspected)).text
    assert "Ingen har endnu afgjort" in page
    assert "Indtast kvittering" not in page


def test_an_auditor_reads_and_copies_and_changes_nothing(login: Login, reference: str) -> None:
    dan = login(Role.AUDITOR)
    page = dan.get(_url(reference)).text
    assert "data-copy=" in page
    assert "<textarea" not in page
    assert "Gem svaret" not in page
    assert dan.get(_url(reference, "/filed")).status_code == 403


def _again(person: Person, tracker: Tracker) -> Person:
    """Sign the same person in again: the night was longer than a sign-in lives."""
    person.browser.set_cookie(COOKIE, sign_in.begin(tracker.context, 1))
    return person
