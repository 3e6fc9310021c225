"""The pages of notices: written, tried, handed over, sent, steered, proved; nothing that was typed is lost."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.notices import State
from incident_tracker.domain.parties import ContactPoint, Controller, Role
from incident_tracker.services import incidents, notices, partners
from incident_tracker.services.partners import PartnerFacts
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import installation
from incident_tracker.store import notices as notice_rows
from incident_tracker.store.tables.outbox import DeliveryRow
from incident_tracker.store.tables.parties import ControllerRow
from tests.delivery.world import NEVER
from tests.makers import PASSWORD, HandClock, make_controller
from tests.notices import DANISH, ENGLISH, TEXTS, TICKS, approve, begin, crowd, make_notice, make_people, writer
from tests.web.conftest import Person

Login = Callable[..., Person]
REASON = "Teksten nævnte den forkerte dato."


@pytest.fixture
def reference(tracker: Tracker, nordlys: Controller) -> str:
    """Give a breach with six people on its list, each with e-mail and phone."""
    found = incidents.open_incident(
        tracker.context, SHELL, title="Kundeliste lå åbent", what_happened="En liste.", controller_id=nordlys.id
    )
    incidents.record_awareness(tracker.context, SHELL, found, at=tracker.context.now(), reason="Set i loggen.")
    make_people(tracker.context, found, crowd(6, phones=True), ordre="17")
    return found


@pytest.fixture
def notices_url(reference: str) -> str:
    return f"/incidents/{reference}/notices"


def _typed(**changed: Any) -> dict[str, Any]:
    """Return a whole form as it is sent."""
    typed: dict[str, Any] = {"channels": ["email", "sms"], "audience": "people"}
    for language, text in TEXTS.items():
        typed |= {f"subject_{language}": text.subject, f"body_{language}": text.body, f"sms_{language}": text.sms}
    return typed | changed


def _answer(tracker: Tracker, notice_id: int, state: str, count: int, **values: object) -> None:
    """Let some messages of a notice have come this far, as a provider would say it."""
    with tracker.context.database.writing() as session:
        waiting = select(DeliveryRow.id).where(DeliveryRow.notice_id == notice_id, DeliveryRow.state == "pending")
        ids = session.scalars(waiting.order_by(DeliveryRow.id).limit(count)).all()
        changed = {"state": state, "notifier": "postman", "sent_at": tracker.context.now(), "attempts": 1} | values
        session.execute(update(DeliveryRow).where(DeliveryRow.id.in_(ids)).values(**changed))


def _send(tracker: Tracker) -> None:
    for _ in range(3):
        tracker.engine.drain(NEVER)
        tracker.engine.sweep()
        notices.go_on(tracker.context, tracker.context.now())


def _plain(answer: TestResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_an_empty_list_says_what_will_be_there_and_offers_the_first_act(login: Login, notices_url: str) -> None:
    page = login(Role.RESPONDER).get(notices_url)
    assert "Ingen har fået besked endnu" in page.text
    assert f'href="{notices_url}/new"' in page.text
    assert f'href="{notices_url}/new"' not in login(Role.AUDITOR).get(notices_url).text


def test_nobody_faces_an_empty_box(login: Login, notices_url: str) -> None:
    page = login(Role.RESPONDER).get(f"{notices_url}/new").text
    for part in (
        "## Hvad er der sket?",
        "## What should you do?",
        "hos Nordlys ApS",
        "{{contact}}",
    ):
        assert part in page, part


def test_an_outline_that_is_not_filled_in_can_be_kept_but_not_handed_over(
    login: Login, tracker: Tracker, notices_url: str, reference: str
) -> None:
    person = login(Role.RESPONDER)
    body = "Kære {{name}}\n\n[Hvad der skete]\n\n1. Ring til os.\n\n{{contact}} Datatilsynet"
    typed = {"subject_en": "", "body_en": "", "sms_en": "", "body_da": body}
    kept = person.post(f"{notices_url}/new", f"{notices_url}/new", **_typed(**typed))
    assert kept.status_code == 303
    assert kept.headers["Location"] == f"{notices_url}/1"
    (notice,) = notices.of_incident(tracker.context, SHELL, reference)
    assert tuple(notice.texts) == ("da",)
    answer = person.post(f"{notices_url}/1/submit", f"{notices_url}/1", ticked=list(TICKS))
    assert answer.status_code == 422
    assert "[Hvad der skete]" in _plain(answer)
    assert answer.text.count(" checked>") == len(TICKS)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"body_da": "Kære {{navn}}"}, "{{navn}}"),
        ({"body_en": "Dear {{field.skostørrelse}}"}, "{{field.skostørrelse}}"),
        ({"subject_da": ""}, "Skriv noget her"),
        ({"body_da": "x" * 20_001}, "20001"),
        ({"sms_en": "x" * 700}, "612"),
        ({"body_da": "a\x00b"}, "U+0000"),
        ({"channels": []}, "sms"),
        ({"channels": ["brevdue"]}, "sms"),
        ({"audience": "alle"}, "alle"),
    ],
)
def test_a_mistake_is_said_at_its_field_and_nothing_typed_is_lost(
    login: Login, tracker: Tracker, notices_url: str, reference: str, changed: dict[str, object], said: str
) -> None:
    answer = login(Role.RESPONDER).post(f"{notices_url}/new", f"{notices_url}/new", **_typed(**changed))
    assert answer.status_code == 422
    assert said in _plain(answer)
    assert "field-error" in answer.text
    assert "You can complain to the Danish Data Protection Agency." in answer.text or "body_en" in changed
    assert notices.of_incident(tracker.context, SHELL, reference) == ()


def test_a_notice_without_a_word_is_refused(login: Login, notices_url: str) -> None:
    answer = login(Role.RESPONDER).post(
        f"{notices_url}/new", f"{notices_url}/new", channels=["email"], audience="people"
    )
    assert answer.status_code == 422
    assert "da, en" in _plain(answer)


def test_two_people_writing_both_see_both_texts(
    login: Login, tracker: Tracker, notices_url: str, reference: str
) -> None:
    notice_id = make_notice(tracker.context, reference)
    person, page = login(Role.RESPONDER), f"{notices_url}/1/edit"
    theirs = {**TEXTS, "da": replace(DANISH, subject="Bens emne")}
    notices.change(tracker.context, SHELL, notice_id, texts=theirs, channels=["email"], after_version=1)
    answer = person.post(page, page, **_typed(after_version="1", subject_da="Claras emne"))
    assert answer.status_code == 422
    assert 'value="Claras emne"' in answer.text
    assert "Bens emne" in answer.text
    assert 'name="after_version" type="hidden" value="2"' in answer.text
    assert person.post(page, page, **_typed(after_version="2", subject_da="Claras emne")).status_code == 303
    assert notices.show(tracker.context, SHELL, notice_id).texts["da"].subject == "Claras emne"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sms_da=hej", "3 tegn: én del."),
        ("sms_en=" + "x" * 161, "161 tegn: 2 dele"),
        ("sms_da=k%C3%A6rlig+hilsen+%E2%80%93", "Et tegn uden for grundalfabetet"),
        ("sms_da=", ""),
        ("noget=andet", ""),
    ],
)
def test_the_length_of_a_text_message_is_said_while_it_is_typed(
    login: Login, notices_url: str, query: str, said: str
) -> None:
    answer = login(Role.RESPONDER).get(f"{notices_url}/understood?{query}")
    assert answer.status_code == 200
    assert said in answer.text


def test_it_is_read_as_a_person_of_the_list_reads_it(
    login: Login, tracker: Tracker, notices_url: str, reference: str
) -> None:
    make_notice(tracker.context, reference)
    person = login(Role.RESPONDER)
    danish = person.get(f"{notices_url}/1").text
    assert "Kære Person" in danish
    assert "<h2>Hvad skal du gøre?</h2>" in danish
    assert " style=" not in danish
    english = person.get(f"{notices_url}/1?text=en&by=email&sample=2").text
    assert "Dear Person" in english
    short = person.get(f"{notices_url}/1?text=en&by=sms").text
    assert "én del" in short
    for strange in ("?text=xx&by=fax&sample=99", "?sample=-1", "?sample=x&state=none&after=%00"):
        assert person.get(f"{notices_url}/1{strange}").status_code == 200


def test_what_people_write_stays_text(login: Login, tracker: Tracker, notices_url: str, reference: str) -> None:
    nasty = replace(
        DANISH, body='<script>alert(1)</script> " style="x" {{name}} {% raw %} {7*7}', subject="<b>hej</b>"
    )
    make_notice(tracker.context, reference, texts={"da": nasty})
    person = login(Role.RESPONDER)
    for place in ("/1", "/1/edit", "/1/proof", ""):
        page = person.get(notices_url + place).text
        assert "<script>alert" not in page
        assert "<b>hej" not in page
    assert "{% raw %} {7*7}" in person.get(f"{notices_url}/1").text


def test_a_test_goes_to_oneself_and_to_nobody_else(
    login: Login, tracker: Tracker, notices_url: str, reference: str
) -> None:
    make_notice(tracker.context, reference)
    person = login(Role.RESPONDER)
    answer = person.post(f"{notices_url}/1/test", f"{notices_url}/1")
    assert answer.status_code == 303
    _send(tracker)
    mails = [one.read_text("utf-8") for one in (tracker.settings.data.dir / "outbox").glob("*.eml")]
    mine = [one for one in mails if f"To: {Role.RESPONDER.value}-" in one]
    assert len(mine) == 2
    assert not [one for one in mails if "@example.org" in one.split("\n\n")[0] and "person" in one]


def test_it_is_handed_over_with_what_a_person_vouches_for(
    login: Login, tracker: Tracker, notices_url: str, reference: str
) -> None:
    notice_id = make_notice(tracker.context, reference)
    person = login(Role.RESPONDER)
    page = f"{notices_url}/1"
    few = person.post(f"{page}/submit", page, ticked=["nature"], **{"dismiss-separate": "Den er alene."})
    assert few.status_code == 422
    assert 'value="nature" id="tick-nature" form="submit-form" checked' in few.text
    assert 'value="Den er alene."' in few.text
    assert notices.show(tracker.context, SHELL, notice_id).state == "draft"
    strange = person.post(f"{page}/submit", page, ticked=[*TICKS, "reach"], **{"dismiss-nature": "Nej."})
    assert strange.status_code == 422
    assert person.post(f"{page}/submit", page, ticked=list(TICKS)).status_code == 303
    shown = _plain(person.get(page))
    assert "Venter på et andet par øjne." in shown
    assert "Bed om godkendelse" not in shown
    assert f"/incidents/{reference}/approvals/" in person.get(page).text


def test_nothing_is_sent_without_a_second_pair_of_eyes(
    login: Login, tracker: Tracker, notices_url: str, reference: str, nordlys: Controller
) -> None:
    notice_id = make_notice(tracker.context, reference)
    person, page = login(Role.RESPONDER), f"{notices_url}/1"
    refused = person.post(f"{page}/begin", page)
    assert refused.status_code == 303
    assert "banner-warning" in person.get(page).text
    assert notices.show(tracker.context, SHELL, notice_id).begun_at is None
    approve(tracker.context, notice_id, nordlys)
    ready = person.get(page).text
    assert "Send den til 6 personer" in ready
    assert person.post(f"{page}/begin", page).status_code == 303
    assert notices.show(tracker.context, SHELL, notice_id).state == "sending"


def test_what_may_have_been_sent_before_a_restore_is_said_to_writer_and_approver(
    login: Login, tracker: Tracker, notices_url: str, reference: str, nordlys: Controller
) -> None:
    notice_id = make_notice(tracker.context, reference)
    said = "Installationen er gendannet fra sikkerhedskopien fra "
    clara = login(Role.RESPONDER)
    assert said not in clara.get(f"{notices_url}/1").text
    with tracker.context.database.writing() as session:
        loaded = incident_rows.load(session, tracker.context.keyring, reference, None)
        reason = notice_rows.seal_reason(tracker.context.keyring, loaded.record_key, "x")
        notice_rows.move(session, notice_id, was=list(State), state=State.DRAFT, pause_reason=reason)
        installation.put(session, "restored_from", "2026-11-20T02:30:00+00:00", tracker.context.now())
    page = _plain(clara.get(f"{notices_url}/1"))
    assert f"{said}fredag 20. november 2026 kl. 03.30" in page
    asked = notices.submit(tracker.context, writer(nordlys), notice_id, ticked=TICKS, dismissed={})
    assert said in login(Role.DECISION_MAKER).get(f"/incidents/{reference}/approvals/{asked}").text
    assert said in clara.get(f"{notices_url}/1").text


def test_how_many_are_told_is_loudest_and_the_live_part_comes_alone(
    login: Login, tracker: Tracker, notices_url: str, reference: str, nordlys: Controller
) -> None:
    notice_id = begin(tracker.context, reference, nordlys)
    _answer(tracker, notice_id, "delivered", 2)
    _answer(tracker, notice_id, "accepted", 1)
    _answer(tracker, notice_id, "failed", 1, reason="unknown address", code="550")
    person = login(Role.RESPONDER)
    page = person.get(f"{notices_url}/1").text
    assert re.search(r'<span class="figure">3</span>\s*af 6 har fået besked', page)
    assert 'hx-trigger="every 2s"' in page
    assert 'id="progress-delivered" width="33.333%"' in page
    assert '<span class="tabs-note wide-only">66 %</span>' in page
    live = person.get(f"{notices_url}/1", headers={"HX-Request": "true"}).text
    assert "<html" not in live
    assert "HX-Refresh" not in person.get(f"{notices_url}/1", headers={"HX-Request": "true"}).headers
    assert re.findall(r"<strong>(\d)</strong><span>", live) == ["2", "1", "1", "2"]
    for act in ("pause", "Stop"):
        assert (act in live) is (act == "pause"), "a responder pauses, a decision-maker stops"
    _send(tracker)
    ended = person.get(f"{notices_url}/1", headers={"HX-Request": "true"})
    assert ended.headers["HX-Refresh"] == "true", "the whole page has more to offer now"
    finished = person.get(f"{notices_url}/1").text
    assert 'hx-trigger="every 2s"' not in finished
    assert "Færdig" in finished


def test_pause_and_send_on(
    login: Login, tracker: Tracker, notices_url: str, reference: str, nordlys: Controller
) -> None:
    notice_id = begin(tracker.context, reference, nordlys)
    person, page = login(Role.RESPONDER), f"{notices_url}/1"
    assert person.post(f"{page}/pause", page).status_code == 303
    assert notices.show(tracker.context, SHELL, notice_id).state == "paused"
    _send(tracker)
    shown = person.get(page).text
    assert "Fortsæt sendingen" in shown
    assert re.search(r'<span class="figure">0</span>', shown)
    assert person.post(f"{page}/pause", page).status_code == 303, "twice is no harm"
    assert "banner-warning" in person.get(page).text
    assert person.post(f"{page}/resume", page).status_code == 303
    _send(tracker)
    assert notices.show(tracker.context, SHELL, notice_id).state == "finished"


def test_stopping_asks_for_the_reference_and_a_reason(
    login: Login, tracker: Tracker, notices_url: str, reference: str, nordlys: Controller
) -> None:
    notice_id = begin(tracker.context, reference, nordlys)
    person, page = login(Role.DECISION_MAKER), f"{notices_url}/1/stop"
    assert "6 personer får den ikke" in _plain(person.get(page))
    for typed in ({"reason": REASON, "reference": "2026-9999"}, {"reason": "", "reference": reference}, {}):
        answer = person.post(page, page, **typed)
        assert answer.status_code == 422
        assert "field-error" in answer.text
        assert typed.get("reason", "") in answer.text
    assert notices.show(tracker.context, SHELL, notice_id).state == "sending"
    assert person.post(page, page, reason=REASON, reference=reference).status_code == 303
    shown = person.get(f"{notices_url}/1").text
    assert "Stoppet for altid" in shown
    assert "annulleret" in shown
    assert login(Role.RESPONDER).get(page).status_code == 403


def test_doubts_are_settled_by_who_may_decide(
    login: Login, tracker: Tracker, notices_url: str, reference: str, nordlys: Controller
) -> None:
    notice_id = begin(tracker.context, reference, nordlys)
    _answer(tracker, notice_id, "in_doubt", 2)
    clara, page = login(Role.DECISION_MAKER), f"{notices_url}/1"
    assert "2 er usikre." in _plain(clara.get(page))
    assert "decide-doubts" not in login(Role.RESPONDER).get(page).text
    for typed in ({}, {"decision": "sent", "reason": ""}, {"decision": "maybe", "reason": "x"}):
        assert clara.post(f"{page}/doubts", page, **typed).status_code == 422
    assert clara.post(f"{page}/doubts", page, decision="sent", reason="Udbyderen så dem.").status_code == 303
    assert notices.status(tracker.context, SHELL, notice_id).counts["in_doubt"] == 0


def test_who_was_not_reached_is_told_another_way(
    login: Login, tracker: Tracker, notices_url: str, reference: str, nordlys: Controller
) -> None:
    notice_id = begin(tracker.context, reference, nordlys, channels=["email"])
    _answer(tracker, notice_id, "failed", 2, reason="the mailbox does not exist", code="550")
    person, page = login(Role.RESPONDER), f"{notices_url}/1"
    assert "2 nåede ikke frem." in _plain(person.get(page))
    odd = person.post(f"{page}/retry", page, channel="brevdue", reason="")
    assert odd.status_code == 422
    assert person.post(f"{page}/retry", page, channel="sms", reason="Mailen kom tilbage.").status_code == 303
    _send(tracker)
    status = notices.status(tracker.context, SHELL, notice_id)
    assert (status.state, status.kept_here, status.recipients) == ("finished", 6, 6)
    assert "6 beskeder ligger i denne maskines udbakke" in _plain(person.get(page))
    again = person.post(f"{page}/retry", page, channel="sms", reason="")
    assert again.status_code == 422


def test_the_ledger_is_filtered_and_paged(
    login: Login, tracker: Tracker, nordlys: Controller, reference: str, notices_url: str
) -> None:
    make_people(tracker.context, reference, [(f"Nr {n}", f"nr{n}@example.org", "", "da") for n in range(60)])
    notice_id = begin(tracker.context, reference, nordlys)
    _answer(tracker, notice_id, "failed", 3, reason="the mailbox does not exist", code="550")
    person, page = login(Role.RESPONDER), f"{notices_url}/1"
    first = person.get(page).text
    assert first.count('<tr role="row">') - 1 == 50
    (following,) = re.findall(r'href="([^"]+after=[^"]+)"', first)
    second = person.get(following.replace("&amp;", "&")).text
    assert second.count('<tr role="row">') - 1 == 16
    failed = person.get(f"{page}?state=failed")
    assert failed.text.count("(550)") == 3
    assert "Mislykket" in failed.text
    assert person.get(f"{page}?state=nonsense").text.count('<tr role="row">') - 1 == 50
    assert "Ingen besked er i denne tilstand." in person.get(f"{page}?state=in_doubt").text


def test_each_person_has_her_own_ledger(
    login: Login, tracker: Tracker, nordlys: Controller, reference: str, notices_url: str
) -> None:
    begin(tracker.context, reference, nordlys)
    _send(tracker)
    person = login(Role.AUDITOR)
    (address, *_) = re.findall(rf'href="(/incidents/{reference}/people/[^"]+)"', person.get(f"{notices_url}/1").text)
    shown = _plain(person.get(address))
    assert "Underretning 1" in shown
    assert "leveret" in shown
    assert re.search(r"person\d@example.org", shown)
    for nobody in ("nobody", "partner:x", "partner:1:2", "%00", "a" * 300):
        assert person.get(f"/incidents/{reference}/people/{nobody}").status_code == 404, nobody


def test_a_partner_is_told_like_a_person_with_a_ledger_of_its_own(
    login: Login, tracker: Tracker, nordlys: Controller, reference: str, notices_url: str
) -> None:
    facts = PartnerFacts("Skyhost A/S", contact=ContactPoint("", "vagt@example.org"))
    partner_id = partners.add(tracker.context, SHELL, nordlys.id, facts)
    partners.concern(tracker.context, SHELL, reference, partner_id)
    begin(tracker.context, reference, nordlys, audience="partners", channels=["email"])
    person = login(Role.RESPONDER)
    page = person.get(f"{notices_url}/1").text
    assert "Skyhost A/S" in page
    (address, *_) = re.findall(rf'href="(/incidents/{reference}/people/[^"]+)"', page)
    assert "Skyhost A/S" in person.get(address).text
    assert "Partnere" in _plain(person.get(notices_url)) or "partnere" in _plain(person.get(notices_url))


def test_a_correction_is_a_new_notice_that_names_the_first(
    login: Login, tracker: Tracker, nordlys: Controller, reference: str, notices_url: str
) -> None:
    begin(tracker.context, reference, nordlys)
    make_notice(tracker.context, reference)
    person = login(Role.RESPONDER)
    listed = person.get(notices_url).text
    assert f'href="{notices_url}/new?corrects=1"' in listed
    assert f'href="{notices_url}/new?corrects=2"' not in listed
    page = f"{notices_url}/new?corrects=1"
    assert "retter underretning 1" in _plain(person.get(page))
    answer = person.post(f"{notices_url}/new", page, **_typed(corrects="1"))
    assert answer.status_code == 303
    assert "retter underretning 1" in _plain(person.get(notices_url))
    assert person.post(f"{notices_url}/new", page, **_typed(corrects="2")).status_code == 422
    assert person.post(f"{notices_url}/new", page, **_typed(corrects="99")).status_code == 404
    assert person.get(f"{notices_url}/new?corrects=99").status_code == 404
    assert person.get(f"{notices_url}/1/edit").status_code in (200, 303)


def test_what_was_sent_cannot_be_changed(
    login: Login, tracker: Tracker, nordlys: Controller, reference: str, notices_url: str
) -> None:
    notice_id = begin(tracker.context, reference, nordlys)
    person, page = login(Role.RESPONDER), f"{notices_url}/1"
    answer = person.post(f"{page}/edit", notices_url + "/new", **_typed(after_version="1", subject_da="Andet"))
    assert answer.status_code == 422
    assert notices.show(tracker.context, SHELL, notice_id).texts["da"].subject == DANISH.subject
    submitted = person.post(f"{page}/submit", notices_url + "/new", ticked=list(TICKS))
    assert submitted.status_code in (303, 422)
    assert notices.show(tracker.context, SHELL, notice_id).state == "sending"


def test_the_proof_carries_counts_and_fingerprints(
    login: Login, tracker: Tracker, nordlys: Controller, reference: str, notices_url: str
) -> None:
    notice_id = begin(tracker.context, reference, nordlys)
    person = login(Role.AUDITOR)
    digest = notices.show(tracker.context, SHELL, notice_id).digest
    assert digest in person.get(f"{notices_url}/1/proof").text
    _send(tracker)
    shown = person.get(f"{notices_url}/1/proof").text
    assert "Fingeraftryk af hvert udfald" in shown
    assert len(set(re.findall(r"\b[0-9a-f]{64}\b", shown))) == 3
    assert ENGLISH.subject in shown


WRITES = ("test", "submit", "begin", "pause", "resume", "retry", "stop", "doubts", "edit")


def test_who_only_reads_sees_everything_and_changes_nothing(
    login: Login, tracker: Tracker, nordlys: Controller, reference: str, notices_url: str, db_hash: Callable[[], str]
) -> None:
    begin(tracker.context, reference, nordlys)
    make_notice(tracker.context, reference)
    dan = login(Role.AUDITOR)
    before = db_hash()
    for number in (1, 2):
        page = dan.get(f"{notices_url}/{number}")
        assert page.status_code == 200
        main = page.text.split("<main", 1)[1].split("</main>")[0]
        assert "<button" not in main
        for act in WRITES:
            assert dan.post(f"{notices_url}/{number}/{act}").status_code == 403
    for place in ("new", "1/edit", "1/stop"):
        assert dan.get(f"{notices_url}/{place}").status_code == 403
    assert db_hash() == before


def test_another_controllers_notice_answers_like_none(
    login: Login, tracker: Tracker, nordlys: Controller, reference: str, notices_url: str, db_hash: Callable[[], str]
) -> None:
    begin(tracker.context, reference, nordlys)
    shown = login(Role.ADMINISTRATOR).get(f"{notices_url}/1").text
    (person_url, *_) = re.findall(rf'href="(/incidents/{reference}/people/[^"]+)"', shown)
    stranger = login(Role.ADMINISTRATOR, make_controller(tracker.context, "Skyhost A/S"))
    before = db_hash()
    for place in ("", "/new", "/1", "/1/edit", "/1/stop", "/1/proof", "/understood?sms_da=x"):
        assert stranger.get(notices_url + place).status_code == 404, place
    assert stranger.get(person_url).status_code == 404
    for act in WRITES:
        assert stranger.post(f"{notices_url}/1/{act}").status_code == 404, act
    assert stranger.post(f"{notices_url}/new", **_typed()).status_code == 404
    assert db_hash() == before


def test_a_number_that_is_not_there_is_not_there(login: Login, notices_url: str) -> None:
    person = login(Role.ADMINISTRATOR)
    for place in ("/7", "/7/edit", "/7/stop", "/7/proof", "/0", "/99999999999"):
        assert person.get(notices_url + place).status_code == 404
    for act in WRITES:
        assert person.post(f"{notices_url}/7/{act}").status_code == 404


def test_someone_alone_waits_before_it_can_be_sent(
    login: Login, tracker: Tracker, clock: HandClock, nordlys: Controller, reference: str, notices_url: str
) -> None:
    with tracker.context.database.writing() as session:
        session.execute(update(ControllerRow).where(ControllerRow.id == nordlys.id).values(four_eyes="alone"))
    ada, page = login(Role.ADMINISTRATOR), f"{notices_url}/1"
    assert ada.post(f"{notices_url}/new", f"{notices_url}/new", **_typed()).status_code == 303
    assert ada.post(f"{page}/submit", page, ticked=list(TICKS)).status_code == 303
    (approval,) = set(re.findall(rf"/incidents/{reference}/approvals/[\w-]+", ada.get(page).text))
    alone = {"reason": "Jeg er alene på kontoret i weekenden.", "password": PASSWORD}
    assert ada.post(f"{approval}/alone", approval, **alone).status_code == 303
    waiting = ada.get(page).text
    assert "Den kan sendes fra" in waiting
    assert "Send den til 6 personer" not in waiting
    assert ada.post(f"{page}/begin", page).status_code == 303
    (notice,) = notices.of_incident(tracker.context, SHELL, reference)
    assert notice.state != "sending"
    clock.advance(minutes=16)
    assert "Send den til 6 personer" in ada.get(page).text
    assert ada.post(f"{page}/begin", page).status_code == 303
    assert notices.show(tracker.context, SHELL, notice.id).state == "sending"


def test_a_correction_names_the_notice_of_its_own_incident_by_number(
    login: Login, tracker: Tracker, notices_url: str, reference: str, nordlys: Controller
) -> None:
    earlier = incidents.open_incident(
        tracker.context, SHELL, title="Før", what_happened="Før.", controller_id=nordlys.id
    )
    make_notice(tracker.context, earlier)
    notice_id = begin(tracker.context, reference, nordlys)
    assert notice_id != 1
    page = f"{notices_url}/new?corrects=1"
    answer = login(Role.RESPONDER).post(f"{notices_url}/new", page, **_typed(corrects="1"))
    assert answer.status_code == 303
    assert [one.corrects for one in notices.of_incident(tracker.context, SHELL, reference)] == [None, 1]


def test_who_came_to_the_list_afterwards_is_shown_and_can_be_told(
    login: Login, tracker: Tracker, notices_url: str, reference: str, nordlys: Controller
) -> None:
    notice_id = begin(tracker.context, reference, nordlys, channels=["email"])
    _answer(tracker, notice_id, "delivered", 6)
    _send(tracker)
    person, page = login(Role.RESPONDER), f"{notices_url}/1"
    assert "tell-again" not in person.get(page).text
    make_people(tracker.context, reference, [("Late", "late@example.org", "", "da")])
    shown = person.get(page)
    assert "1 person er kommet på listen bagefter" in _plain(shown)
    assert 'href="#tell-again"' in shown.text
    assert 'id="tell-again"' in shown.text
    assert person.post(f"{page}/retry", page, channel="email", reason="").status_code == 303
    assert notices.status(tracker.context, SHELL, notice_id).came_later == 0
    assert person.get(f"{page}?sample={'9' * 5000}").status_code == 200


def test_a_letter_to_partners_does_not_begin_like_one_to_the_people(login: Login, reference: str) -> None:
    page, person = f"/incidents/{reference}/notices/new?audience=", login()
    to_people, to_partners = (person.get(f"{page}{audience}").text for audience in ("people", "partners"))
    assert "Du er berørt af et brud" in to_people
    assert "artikel 33, stk. 2" in to_partners
    assert "Du er berørt af et brud" not in to_partners


def test_open_checks_are_counted_and_not_named_by_their_codes(login: Login, tracker: Tracker, reference: str) -> None:
    make_notice(tracker.context, reference)
    page = f"/incidents/{reference}/notices/1"
    said = login().post(f"{page}/submit", page).text
    assert "punkter i kontrollen mangler" in said
    assert "your_data," not in said
