"""A second pair of eyes on pages: what is shown, who may press which button, and the link for somebody outside."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from incident_tracker.bootstrap import Tracker
from incident_tracker.delivery.parcel import unseal
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services import approving, controllers, incidents, notices, register, scope, sign_in
from incident_tracker.services.controllers import ControllerFacts
from incident_tracker.services.trouble import NotSaved
from incident_tracker.store.tables.outbox import DeliveryRow
from notifiers.protocol import Channel
from tests.four_eyes import assess
from tests.makers import PASSWORD, HandClock, make_actor, make_controller, make_user
from tests.notices import DANISH, ENGLISH, TICKS, crowd, make_notice, make_people
from tests.web.conftest import COOKIE, Person

Login = Callable[..., Person]
REASON = "Oplysningerne var krypteret, og nøglen er ikke kompromitteret."


@pytest.fixture
def breach(tracker: Tracker, nordlys: Controller) -> str:
    assert nordlys
    now = tracker.context.now()
    reference = incidents.open_incident(
        tracker.context, SHELL, title="Alle adresser i CC", aware_at=now, aware_reason="Set i loggen."
    )
    assess(tracker.context, reference)
    return reference


def ask(tracker: Tracker, breach: str, nordlys: Controller, user_id: int = 77) -> str:
    asker = make_actor(nordlys, Role.DECISION_MAKER, user_id)
    return incidents.set_duty_aside(
        tracker.context, asker, breach, regime="gdpr", duty="notify_people", reason=REASON
    )


def standing(tracker: Tracker, breach: str, duty: str = "notify_people") -> str:
    found = register.overview(tracker.context, SHELL, breach).obligations
    return next(str(how) for one, how in found if one.duty == duty)


def words(answer: TestResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def link(tracker: Tracker, nordlys: Controller, approval: str, email: str = "raad@example.org") -> str:
    """Invite somebody outside and return the address in the mail."""
    before = mails(tracker)
    actor = make_actor(nordlys, Role.DECISION_MAKER, 77)
    approving.invite(tracker.context, actor, approval, name="Eva Ekstern", email=email)
    (text,) = mails(tracker) - before
    found = re.search(r"/approve/\S+", text)
    assert found
    return found[0]


def mails(tracker: Tracker) -> set[str]:
    with tracker.context.database.reading() as session:
        sealed = list(session.scalars(select(DeliveryRow.sealed).where(DeliveryRow.channel == Channel.EMAIL.value)))
    return {unseal(tracker.context.keyring, one).content.text for one in sealed}


def outside(person: Person, address: str, **typed: str) -> TestResponse:
    token = re.search(r'name="form_token" value="([^"]+)"', person.get(address).text)
    assert token
    return person.browser.post(address, data={"form_token": token[1], **typed})


def test_the_duty_runs_on_and_the_board_says_what_waits(login: Login, tracker: Tracker, breach: str) -> None:
    page = f"/incidents/{breach}/deadlines"
    ada = login(Role.DECISION_MAKER)
    form = {
        "aside-notify_people-reason": REASON,
        "aside-notify_people-reference": breach,
        "aside-notify_people-version": register.overview(tracker.context, SHELL, breach).version,
    }
    answer = ada.post(f"{page}/gdpr/notify_people/aside", page, **form)
    assert answer.status_code == 303
    url = answer.headers["Location"]
    assert "/approvals/" in url
    assert standing(tracker, breach) == "open"
    assert 'value="approve"' not in ada.get(url).text, "whoever asked sees no button"
    ben = login(Role.ADMINISTRATOR)
    assert url in ben.get("/").text
    assert url not in ada.get("/").text
    assert REASON in ben.get(url).text
    assert ben.post(f"{url}/decide", url, decision="approve", reason="").status_code == 303
    assert standing(tracker, breach) == "set_aside"
    assert url not in ben.get("/").text
    assert REASON in ben.get(page).text


def test_whoever_asked_is_refused_also_without_the_button(
    login: Login, tracker: Tracker, breach: str, nordlys: Controller
) -> None:
    email = "ada@example.dk"
    user = make_user(tracker.context, nordlys, Role.DECISION_MAKER, email, "Ada")
    url = f"/incidents/{breach}/approvals/{ask(tracker, breach, nordlys, user.id)}"
    ada = login(Role.AUDITOR)
    ada.browser.set_cookie(COOKIE, sign_in.begin(tracker.context, user.id))
    refused = ada.post(f"{url}/decide", decision="approve", reason="Ser fint ud")
    assert refused.status_code == 422
    assert standing(tracker, breach) == "open"


def test_a_responder_reads_and_decides_nothing(
    login: Login, tracker: Tracker, breach: str, nordlys: Controller
) -> None:
    url = f"/incidents/{breach}/approvals/{ask(tracker, breach, nordlys)}"
    clara = login(Role.RESPONDER)
    assert REASON in clara.get(url).text
    for act in ("decide", "alone", "invite", "carry-out", "take-back"):
        assert clara.post(f"{url}/{act}", decision="approve").status_code == 403


def test_a_rejection_needs_a_reason_and_keeps_the_duty(
    login: Login, tracker: Tracker, breach: str, nordlys: Controller
) -> None:
    url = f"/incidents/{breach}/approvals/{ask(tracker, breach, nordlys)}"
    ben = login(Role.DECISION_MAKER)
    assert ben.post(f"{url}/decide", url, decision="reject", reason=" ").status_code == 422
    assert ben.post(f"{url}/decide", url, decision="reject", reason="Nøglen lå ved siden af.").status_code == 303
    assert "Nøglen lå ved siden af." in ben.get(url).text
    assert standing(tracker, breach) == "open"
    assert ben.post(f"{url}/decide", decision="approve").status_code == 422, "decided is decided"
    assert ben.post(f"{url}/decide").status_code == 400


def test_someone_alone_waits_fifteen_minutes(
    login: Login, tracker: Tracker, breach: str, nordlys: Controller, clock: HandClock
) -> None:
    user = make_user(tracker.context, nordlys, Role.ADMINISTRATOR, "ada@example.dk", "Ada")
    url = f"/incidents/{breach}/approvals/{ask(tracker, breach, nordlys, user.id)}"
    ada = login(Role.AUDITOR)
    ada.browser.set_cookie(COOKIE, sign_in.begin(tracker.context, user.id))
    assert f"{url}/alone" not in ada.get(url).text, "the controller wants a colleague"
    controllers.change(
        tracker.context, SHELL, nordlys.id, ControllerFacts(nordlys.name, cvr="00000000", four_eyes="alone")
    )
    assert f"{url}/alone" in ada.get(url).text
    typed = {"reason": "Jeg er ene på kontoret.", "password": "forkert kodeord her"}
    assert ada.post(f"{url}/alone", url, **typed).status_code == 422
    assert ada.post(f"{url}/alone", url, **(typed | {"password": PASSWORD})).status_code == 303
    assert f"{url}/carry-out" not in ada.get(url).text
    early = ada.post(f"{url}/carry-out", url)
    assert early.status_code == 422
    assert "14.15" in words(early), "the time is named"
    assert standing(tracker, breach) == "open"
    clock.advance(minutes=15)
    assert f"{url}/carry-out" in ada.get(url).text
    assert ada.post(f"{url}/carry-out", url).status_code == 303
    assert standing(tracker, breach) == "set_aside"


def test_the_link_shows_and_only_the_form_decides(
    app: Flask, tracker: Tracker, breach: str, nordlys: Controller
) -> None:
    approval = ask(tracker, breach, nordlys)
    address = link(tracker, nordlys, approval)
    scanner = Person(app.test_client())
    for _ in range(3):
        shown = scanner.get(address)
        assert shown.status_code == 200
        assert scanner.browser.head(address).status_code == 200
    assert REASON in shown.text
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in shown.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in shown.headers
    assert standing(tracker, breach) == "open"
    done = outside(scanner, address, decision="approve", reason="")
    assert done.status_code == 200
    assert "Set-Cookie" not in done.headers
    assert standing(tracker, breach) == "set_aside"
    assert scanner.get(address).status_code == 404, "it works once"


def test_another_site_an_old_form_and_a_machine_decide_nothing(
    stranger: Person, tracker: Tracker, breach: str, nordlys: Controller, clock: HandClock
) -> None:
    address = link(tracker, nordlys, ask(tracker, breach, nordlys))
    token = re.search(r'name="form_token" value="([^"]+)"', stranger.get(address).text)
    assert token
    form = {"form_token": token[1], "decision": "approve"}
    post = stranger.browser.post
    assert post(address, data={"decision": "approve"}).status_code == 422
    assert post(address, data=form | {"form_token": token[1][:-1] + "g"}).status_code == 422
    assert post(address, data=form | {"form_token": "\N{ARABIC-INDIC DIGIT ONE}.a.b"}).status_code == 422
    assert post(address, data=form, headers={"Origin": "https://evil.example.org"}).status_code == 422
    assert post(address, data=form, headers={"Origin": "https://["}).status_code == 422
    assert post(address, data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 422
    assert post(address, data=form | {"website": "spam"}).status_code == 422
    clock.advance(hours=12, seconds=1)
    assert post(address, data=form).status_code == 422
    assert standing(tracker, breach) == "open"
    clock.advance(hours=60)
    assert stranger.get(address).status_code == 404, "after 72 hours it is dead"


def test_while_the_database_does_not_answer_the_link_keeps_what_was_typed_and_decides_nothing(
    stranger: Person, tracker: Tracker, breach: str, nordlys: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = link(tracker, nordlys, ask(tracker, breach, nordlys))
    token = re.search(r'name="form_token" value="([^"]+)"', stranger.get(address).text)
    assert token
    form = {"form_token": token[1], "decision": "reject", "reason": "Nøglen lå ved siden af."}

    def fail(*_: object, **__: object) -> None:
        raise NotSaved(why="the disk is full")

    for broken in ("decide_outside", "by_secret"):
        with monkeypatch.context() as patch:
            patch.setattr(approving, broken, fail)
            answer = stranger.browser.post(address, data=form)
        assert answer.status_code == 503
        assert "Nøglen lå ved siden af." in answer.text
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert stranger.browser.post(address, data=form).status_code == 200, "the link still works"


def test_a_new_invitation_ends_the_one_before(
    stranger: Person, tracker: Tracker, breach: str, nordlys: Controller
) -> None:
    approval = ask(tracker, breach, nordlys)
    first = link(tracker, nordlys, approval)
    second = link(tracker, nordlys, approval)
    assert first != second
    assert stranger.get(first).status_code == 404
    assert stranger.get(second).status_code == 200
    assert stranger.get("/approve/nothing").status_code == 404


def test_new_facts_after_it_was_set_aside_are_shown(
    login: Login, tracker: Tracker, breach: str, nordlys: Controller
) -> None:
    ben = login(Role.DECISION_MAKER)
    url = f"/incidents/{breach}/approvals/{ask(tracker, breach, nordlys)}"
    scope.assess(tracker.context, SHELL, breach, ScopeAssessment(description="Også CPR-numre"))
    assert 'value="approve"' not in ben.get(url).text
    assert ben.post(f"{url}/decide", decision="approve").status_code == 422
    url = f"/incidents/{breach}/approvals/{ask(tracker, breach, nordlys)}"
    assert ben.post(f"{url}/decide", url, decision="approve").status_code == 303
    page = f"/incidents/{breach}/deadlines"
    before = len(re.findall("banner-warning", ben.get(page).text))
    scope.assess(tracker.context, SHELL, breach, ScopeAssessment(description="Også helbred"))
    assert len(re.findall("banner-warning", ben.get(page).text)) == before + 1


def test_another_controllers_decision_is_not_found(
    login: Login, tracker: Tracker, breach: str, nordlys: Controller
) -> None:
    approval = ask(tracker, breach, nordlys)
    elsewhere = login(Role.ADMINISTRATOR, make_controller(tracker.context, "Skyhost A/S"))
    url = f"/incidents/{breach}/approvals/{approval}"
    assert elsewhere.get(url).status_code == 404
    assert elsewhere.post(f"{url}/decide", decision="approve").status_code == 404


def ask_to_send(tracker: Tracker, breach: str, nordlys: Controller) -> str:
    """Hand a notice over as Clara, who sets a warning aside; six can be told, and one has no address."""
    listed = [*crowd(6), ("Nobody Knows", "", "", "da")]
    make_people(tracker.context, breach, listed)
    texts = {"da": replace(DANISH, body=DANISH.body.replace("Slet nyhedsbrevet i dag.", "<b>Slet</b> det. Log ind."))}
    number = make_notice(tracker.context, breach, texts=texts | {"en": ENGLISH})
    clara = make_user(tracker.context, nordlys, Role.RESPONDER, "clara@example.dk", "Clara")
    actor = make_actor(nordlys, Role.RESPONDER, clara.id)
    checks = notices.checks(tracker.context, actor, number)
    warned = {one.id: "Det er aftalt med Ada." for one in checks if one.can_be_dismissed and not one.ok}
    assert warned
    return notices.submit(tracker.context, actor, number, ticked=TICKS, dismissed=warned)


def test_whoever_approves_a_notice_sees_it_as_it_is_read_and_what_others_answered(
    login: Login, app: Flask, tracker: Tracker, breach: str, nordlys: Controller
) -> None:
    approval = ask_to_send(tracker, breach, nordlys)
    colleague = login(Role.DECISION_MAKER).get(f"/incidents/{breach}/approvals/{approval}")
    outsider = Person(app.test_client()).get(link(tracker, nordlys, approval))
    (notice,) = notices.of_incident(tracker.context, SHELL, breach)
    for page in (colleague, outsider):
        assert "<h2>Hvad er der sket?</h2>" in page.text
        assert "<h2>What happened?</h2>" in page.text
        assert "Kære Anna Eksempel" in page.text
        assert notice.public_reference in page.text
        assert "Person 0" not in page.text, "nobody of the list is shown"
        assert "{{" not in page.text
        assert "##" not in page.text
        assert "&lt;b&gt;Slet&lt;/b&gt;" in page.text
        assert "letter-sms" in page.text, "the text message that we make is shown too"
        said = words(page)
        assert DANISH.subject in said
        assert "Det er aftalt med Ada." in said
        assert "Advarsler, som Clara har set bort fra" in said
        assert "Det står Clara inde for" in said
        rules = {one.id: one.rule for one in notices.checks(tracker.context, SHELL, notice.id, language="da")}
        assert all(rules[one] in unescape(said) for one in (*TICKS, *notice.dismissed))
        assert "Får besked 6 personer" in said
        assert "Kan ikke få besked 1 person:" in said


def test_what_was_decided_is_the_heading_and_leads_to_where_the_notice_is_sent(
    login: Login, tracker: Tracker, breach: str, nordlys: Controller
) -> None:
    url = f"/incidents/{breach}/approvals/{ask_to_send(tracker, breach, nordlys)}"
    ben = login(Role.DECISION_MAKER)
    assert "Må denne underretning sendes?</h2>" in ben.get(url).text
    assert ben.post(f"{url}/decide", url, decision="approve", reason="").status_code == 303
    page = ben.get(url).text
    assert "Må denne underretning sendes?" not in page
    assert "Underretningen er godkendt</h2>" in page
    assert f'class="button button-primary" href="/incidents/{breach}/notices/1"' in page
    assert "Gå til underretningen, hvor den sendes" in page
    assert ben.post(f"{url}/take-back", url).status_code == 303
    assert "Anmodningen gælder ikke længere</h2>" in ben.get(url).text


def test_the_heading_says_that_a_duty_was_not_set_aside(
    login: Login, tracker: Tracker, breach: str, nordlys: Controller
) -> None:
    url = f"/incidents/{breach}/approvals/{ask(tracker, breach, nordlys)}"
    ben = login(Role.DECISION_MAKER)
    ben.post(f"{url}/decide", url, decision="reject", reason="Nøglen lå ved siden af.")
    assert "bortfalder ikke</h2>" in ben.get(url).text
    assert "/notices/" not in ben.get(url).text.partition('id="question"')[2].partition("</section>")[0]
