"""Every SMS to people on call: its words, its length, and that it tells nothing of what happened."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_tracker import rendering
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.deadlines import Obligation
from incident_tracker.domain.parties import OnCallContact
from incident_tracker.domain.sms import fits_one_segment, segments
from incident_tracker.services import alert_texts, incidents
from incident_tracker.services.alert_texts import Told
from incident_tracker.services.controllers import NAME_LIMIT
from incident_tracker.store.alerts import Alert
from incident_tracker.store.incidents import Head
from incident_tracker.store.obligations import Kept
from tests.domain.makers import RULES
from tests.services.conftest import MakeWorld

NOW = datetime(2026, 11, 23, 3, 45, tzinfo=UTC)
DUE = NOW + timedelta(hours=12)
ZONE = "Europe/Copenhagen"
LONGEST_REFERENCE = "NORDLYS8-X2026-12345"
"""Eight signs of prefix, an exercise, and more than 9,999 incidents in a year."""
LONGEST = timedelta(days=999, hours=23, minutes=59)
DUTIES = [*sorted({rule.duty for rule in RULES}), "a_duty_of_the_administrators_own"]
LANGUAGES = ("da", "en")


def someone(language: str) -> OnCallContact:
    return OnCallContact(1, 1, 1, "Ben", "+4534412345", language=language)


def told(
    reference: str = "2026-0007",
    duty: str = "notify_authority",
    kind: str = "reminder",
    *,
    due_at: datetime | None = DUE,
    anchor_at: datetime | None = None,
) -> Told:
    obligation = Obligation(
        rule_id="r",
        regime="gdpr",
        duty=duty,
        article="GDPR Art. 33(1)",
        addressee="supervisory_authority",
        anchor_at=anchor_at or NOW,
        due_at=due_at,
    )
    alert = Alert("a", 1, 1, 1, None, kind, "", NOW, due_at, "open", 0, NOW, None)
    return Told(alert, Head(1, 1, reference, exercise=False, record_key="key"), Kept(1, 1, 1, 1, obligation))


def said(one: Told, language: str = "da", now: datetime = NOW) -> str:
    return alert_texts.single(one, someone(language), ZONE, now)


def test_a_new_suspicion_is_said_as_it_must_be() -> None:
    assert said(told(kind="suspicion", duty="assess", due_at=None)) == (
        "2026-0007: ny mistanke om brud. Ikke vurderet endnu (0 t siden). "
        "Svar OK for at tage den. Log ind for at se mere."
    )


def test_a_rung_is_said_as_it_must_be() -> None:
    assert said(told()) == (
        "2026-0007: 12 t 0 min til anmeldelsesfristen (man 16.45). Svar OK for at kvittere. Log ind for at handle."
    )


def test_a_missed_deadline_is_said_as_it_must_be() -> None:
    assert said(told(kind="overdue"), now=DUE + timedelta(hours=1)) == (
        "2026-0007: fristen er overskredet med 1 t. Anmeld nu og begrund forsinkelsen. Svar OK for at kvittere."
    )


def test_what_is_said_every_hour_does_not_drown_what_is_asked_once_a_day() -> None:
    hourly = told(duty="inform_parties", kind="overdue")
    daily = told(duty="notify_people", due_at=None, anchor_at=NOW - timedelta(days=5))
    spoken = alert_texts.content([hourly, daily], someone("da"), ZONE, DUE + timedelta(days=2)).text
    assert spoken.startswith("2026-0007: underretning af de berørte mangler stadig")
    authority = told(duty="notify_authority", kind="overdue")
    spoken = alert_texts.content([authority, daily], someone("da"), ZONE, DUE + timedelta(hours=1)).text
    assert spoken.startswith("2026-0007: fristen er overskredet med 1 t. Anmeld nu")


def test_an_answer_to_ok_is_said_as_it_must_be() -> None:
    said_now = alert_texts.fitting("acknowledged", ["2026-0007"], "da", left="12 t 0 min", more=1)
    assert said_now == "Kvitteret: 2026-0007. Fristen løber stadig: 12 t 0 min. 1 alarm mere er åben: svar OK ALLE."


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("duty", DUTIES)
@pytest.mark.parametrize("kind", ["suspicion", "opened", "reminder", "overdue"])
@pytest.mark.parametrize("dated", ["dated", ""])
@pytest.mark.parametrize("left", [LONGEST, -LONGEST])
def test_every_duty_fits_one_segment_in_both_languages_at_its_longest(
    language: str, duty: str, kind: str, dated: str, left: timedelta
) -> None:
    one = told(LONGEST_REFERENCE, duty, kind, due_at=NOW + left if dated else None, anchor_at=NOW - LONGEST)
    text = said(one, language)
    assert text.startswith(f"{LONGEST_REFERENCE}: ")
    assert fits_one_segment(text), segments(text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("weekday", range(7))
def test_every_weekday_fits_and_is_said_without_a_dot(language: str, weekday: int) -> None:
    text = said(told(LONGEST_REFERENCE, due_at=DUE + timedelta(days=weekday)), language)
    assert fits_one_segment(text), segments(text)
    assert ". 16" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["bundle", "acknowledged", "nothing_open"])
@pytest.mark.parametrize("number", [1, 2, 7, 8, 500])
def test_answers_and_bundles_fit_one_segment_however_much_they_name(language: str, name: str, number: int) -> None:
    references = [f"NORDLYS8-X2026-{n:05d}" for n in range(number)]
    values = {"count": number, "left": rendering.duration(LONGEST, language), "more": 4711}
    text = alert_texts.fitting(name, references, language, **values)
    assert fits_one_segment(text), segments(text)
    assert references[0] in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["not_understood"])
def test_the_rest_fits_one_segment_too(language: str, name: str) -> None:
    assert fits_one_segment(rendering.message(f"alert/{name}", "sms", language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_test_message_of_a_usual_name_fits_one_segment(language: str) -> None:
    text = rendering.message("alert/test", "sms", language, controller="Nordlys Tandlægeklinik og Forsyning ApS, Ærø")
    assert fits_one_segment(text), segments(text)
    assert NAME_LIMIT > 50


SIGNS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Cf"))
FACTS = st.text(SIGNS, min_size=4, max_size=30).map(lambda text: f"Ø{text}æ")


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=FACTS, happened=FACTS, place=FACTS, reason=FACTS)
def test_no_sms_ever_says_what_happened(
    make_quick_world: MakeWorld, title: str, happened: str, place: str, reason: str
) -> None:
    world = make_quick_world()
    reference = world.open(title, what_happened=happened, place=place)
    world.tick()
    world.advance(hours=5)
    world.aware(reference, reason=reason)
    incidents.contain(world.context, SHELL, reference, at=world.clock(), how=reason)
    for _ in range(6):
        world.advance(hours=24)
        world.reply("OK")
    texts = [one.text() + one.subject() for one in world.sms.carried]
    assert len(texts) > 10
    assert not [text for text in texts for fact in (title, happened, place, reason) if fact in text]
    world.close()
