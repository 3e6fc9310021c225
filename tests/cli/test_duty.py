"""Duties settled in the shell: what a second pair of eyes must approve, and who may not be one."""

import pytest

from incident_tracker import bootstrap
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.counts import CountRange
from incident_tracker.services import register
from tests import four_eyes
from tests.cli.conftest import World
from tests.makers import make_settings

WORD = "en gul cykel i regnvejr\n"
PEOPLE = ("--duty", "gdpr.notify_people")


def assess(run: World, reference: str) -> None:
    """Write down what got out, which is done on a page."""
    tracker = bootstrap.build(make_settings(run.folder), now=run.now, notifiers={})
    four_eyes.assess(tracker.context, reference)
    tracker.close()


def settle_the_law(run: World, reference: str) -> None:
    """Set aside what the law demands, with a second pair of eyes where it takes one."""
    assess(run, reference)
    account(run, "ben@example.dk")
    for duty in ("gdpr.notify_authority", "gdpr.notify_people"):
        run.done("duty", "set-aside", reference, "--duty", duty, "--reason", "No risk")
        run.done("duty", "approve", reference, "--duty", duty, "--as", "ben@example.dk")


def account(run: World, email: str, role: str = "decision_maker") -> None:
    run.done("user", "create", "--email", email, "--role", role, "--password-stdin", stdin=WORD)


@pytest.fixture
def breach(run: World) -> str:
    reference = run.open()
    run.done("incident", "aware", reference, "--at", "2026-11-20T13:00:00Z", "--reason", "Seen")
    return reference


def standing(run: World, reference: str) -> str:
    found = run.json("incident", "show", reference)["obligations"]
    return next(str(one["standing"]) for one in found if one["duty"] == "notify_people")


def test_a_no_needs_to_know_what_got_out(run: World, breach: str) -> None:
    line = run.refused("duty", "set-aside", breach, *PEOPLE, "--reason", "No risk")
    assert "what got out" in line


def test_what_got_out_can_be_written_down_in_the_shell(run: World, breach: str) -> None:
    words = ("incident", "assess", breach, "--description", "Sendt til alle")
    assert run.done(*words, "--people", "ca. 300") == f"Scope of {breach} kept as version 1.\n"
    assert "version 2" in run.done("incident", "assess", breach, "--description", "Sendt til alle kunder")
    assert run.refused("incident", "assess", breach, "--description", "Sendt til alle kunder")
    assert "not a number" in run.refused(*words, "--people", "mange")
    assert run.refused("incident", "assess", breach, "--description", " ")
    tracker = bootstrap.build(make_settings(run.folder), now=run.now, notifiers={})
    kept = register.overview(tracker.context, SHELL, breach).incident.assessment
    tracker.close()
    assert kept is not None
    assert (kept.description, kept.people_count) == ("Sendt til alle kunder", CountRange.read("ca. 300", "x"))
    run.done("duty", "set-aside", breach, *PEOPLE, "--reason", "No risk")
    account(run, "ben@example.dk")
    run.done("duty", "approve", breach, *PEOPLE, "--as", "ben@example.dk")
    assert standing(run, breach) == "set_aside"


def test_setting_aside_says_that_approval_is_waited_for(run: World, breach: str) -> None:
    assess(run, breach)
    assert "second pair of eyes" in run.done("duty", "set-aside", breach, *PEOPLE, "--reason", "No risk")
    assert standing(run, breach) == "open"


def test_neither_the_shell_nor_whoever_asked_approves(run: World, breach: str) -> None:
    assess(run, breach)
    for email in ("ada@example.dk", "ben@example.dk"):
        account(run, email)
    account(run, "clara@example.dk", "responder")
    assert "Nobody has asked" in run.refused("duty", "approve", breach, *PEOPLE, "--as", "ben@example.dk")
    run.done("duty", "set-aside", breach, *PEOPLE, "--reason", "No risk", "--as", "ada@example.dk")
    assert "The shell itself approves nothing" in run.refused("duty", "approve", breach, *PEOPLE)
    assert "Somebody else" in run.refused("duty", "approve", breach, *PEOPLE, "--as", "ada@example.dk")
    assert "Your role" in run.refused("duty", "approve", breach, *PEOPLE, "--as", "clara@example.dk")
    assert "Write the reason" in run.refused("duty", "approve", breach, *PEOPLE, "--reject", "--as", "ben@example.dk")
    run.done("duty", "approve", breach, *PEOPLE, "--as", "ben@example.dk")
    assert standing(run, breach) == "set_aside"
    assert "decided already" in run.refused("duty", "approve", breach, *PEOPLE, "--as", "ben@example.dk")


def test_a_rejected_request_leaves_the_duty(run: World, breach: str) -> None:
    assess(run, breach)
    account(run, "ben@example.dk")
    run.done("duty", "set-aside", breach, *PEOPLE, "--reason", "No risk")
    reject = ("--reject", "--reason", "The key lay beside it", "--as", "ben@example.dk")
    run.done("duty", "approve", breach, *PEOPLE, *reject)
    assert standing(run, breach) == "open"


def test_the_rule_of_four_eyes_and_the_colour_of_a_controller_are_changed(run: World) -> None:
    shown = run.json("controller", "change", "nordlys-aps", "--four-eyes", "alone", "--colour", "#1f5673")
    assert (shown["four_eyes"], shown["colour"]) == ("alone", "#1F5673")
    shown = run.json("controller", "change", "nordlys-aps", "--colour", "")
    assert (shown["four_eyes"], shown["colour"]) == ("alone", "")
    assert "Darken it" in run.refused("controller", "change", "nordlys-aps", "--colour", "#ffcc00")
    assert "six digits" in run.refused("controller", "change", "nordlys-aps", "--colour", "#12")
    assert "Choose one of" in run.refused("controller", "change", "nordlys-aps", "--four-eyes", "nobody")
