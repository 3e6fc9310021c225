import json

import pytest

from tests.cli.conftest import World
from tests.cli.test_duty import settle_the_law

OBLIGATION = {"regime", "duty", "addressee", "anchor_at", "due_at", "outer_reading_at", "standing", "met_at"}
INCIDENT = {
    "reference",
    "title",
    "status",
    "exercise",
    "controller",
    "role",
    "detected_at",
    "became_aware_at",
    "contained_at",
    "closed_at",
}


def _duty(shown: dict[str, list[dict[str, str]]], name: str) -> dict[str, str]:
    return next(one for one in shown["obligations"] if one["duty"] == name)


def test_opening_prints_the_reference_and_only_that_on_stdout(run: World) -> None:
    result = run("incident", "open", "--title", "Newsletter")
    assert result.stdout == "Logged as 2026-0001.\n"


def test_opening_warns_on_stderr_while_no_clock_runs(run: World) -> None:
    result = run("incident", "open", "--title", "Newsletter", "--json")
    assert json.loads(result.stdout)["status"] == "suspected"
    assert "nobody is alerted" in result.stderr


def test_opening_does_not_warn_while_a_clock_is_alive(run: World) -> None:
    from incident_tracker.cli.common import Shell  # noqa: PLC0415
    from incident_tracker.store import heartbeats  # noqa: PLC0415

    result = run("config", "show")
    assert result.exit_code == 0
    with pytest.MonkeyPatch.context() as patch:
        for name, value in run.environment.items():
            patch.setenv(name, value)
        with Shell(now=run.now).context() as context, context.database.writing() as session:
            heartbeats.start(session, "node", "0.1.0", run.now())
    run.now.advance(seconds=30)
    assert "nobody" not in run("incident", "open", "--title", "Newsletter").stderr
    run.now.advance(seconds=1)
    assert "nobody is alerted" in run("incident", "open", "--title", "Newsletter").stderr


def test_the_json_of_an_incident_has_the_documented_keys(run: World) -> None:
    shown = run.json("incident", "open", "--title", "Newsletter", "--detected-at", "2026-11-20T13:00:00+01:00")
    assert shown.keys() == INCIDENT | {"obligations"}
    assert shown["detected_at"] == "2026-11-20T12:00:00Z"
    assert shown["controller"] == "nordlys-aps"
    assert [one.keys() for one in shown["obligations"]] == [OBLIGATION]
    assert _duty(shown, "assess")["due_at"] is None


def test_awareness_starts_the_72_hours(run: World) -> None:
    reference = run.open()
    run.now.advance(hours=1)
    run.done(
        "incident", "aware", reference, "--at", "2026-11-20T14:00:00+01:00", "--reason", "They can see each other"
    )
    shown = run.json("incident", "show", reference)
    assert shown["status"] == "aware"
    duty = _duty(shown, "notify_authority")
    assert (duty["due_at"], duty["outer_reading_at"]) == ("2026-11-23T13:00:00Z", "2026-11-23T14:00:00Z")
    assert _duty(shown, "assess")["standing"] == "met"


def test_awareness_can_be_recorded_while_opening(run: World) -> None:
    shown = run.json(
        "incident", "open", "--title", "x", "--aware-at", "2026-11-20T12:00:00Z", "--aware-reason", "Seen"
    )
    assert shown["became_aware_at"] == "2026-11-20T12:00:00Z"


def test_a_reason_without_a_time_of_awareness_is_wrong_usage(run: World) -> None:
    assert run("incident", "open", "--title", "x", "--aware-reason", "Seen").exit_code == 2
    assert run.json("incident", "list") == []


def test_the_list_has_the_documented_keys_and_the_next_deadline(run: World) -> None:
    reference = run.open()
    run.done("incident", "aware", reference, "--at", "2026-11-20T14:00:00+01:00", "--reason", "Seen")
    (line,) = run.json("incident", "list")
    assert line.keys() == INCIDENT | {"next_due_at"}
    assert line["next_due_at"] == "2026-11-23T13:00:00Z"


def test_the_list_is_whole_newest_first_and_can_be_cut(run: World) -> None:
    names = [run.open(f"Number {number}") for number in range(3)]
    assert [one["reference"] for one in run.json("incident", "list")] == names[::-1]
    assert [one["reference"] for one in run.json("incident", "list", "--limit", "2")] == names[:0:-1]
    assert [one["title"] for one in run.json("incident", "list", "--search", "number 1")] == ["Number 1"]


def test_a_list_longer_than_a_page_is_printed_whole(run: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incident_tracker.cli.incident._PAGE", 2)
    for number in range(5):
        run.open(f"Number {number}")
    assert len(run.json("incident", "list")) == 5
    assert len(run.json("incident", "list", "--limit", "3")) == 3


def test_what_is_no_breach_stays_in_the_register(run: World) -> None:
    reference = run.open()
    run.done("incident", "not-a-breach", reference, "--reason", "Sent to nobody")
    assert run.json("incident", "list", "--status", "not_a_breach")[0]["reference"] == reference
    assert run.json("incident", "list", "--status", "open") == []


def test_an_incident_is_contained_closed_and_taken_up_again(run: World) -> None:
    reference = run.open()
    at = "2026-11-20T13:00:00Z"
    run.done("incident", "aware", reference, "--at", at, "--reason", "Seen")
    run.done("incident", "contain", reference, "--at", at, "--how", "Recalled")
    line = run.refused("incident", "close", reference, "--reason", "Done")
    assert line.startswith(f"{reference} cannot be closed yet")
    settle_the_law(run, reference)
    run.done("duty", "met", reference, "--duty", "promise.inform_parties", "--at", at, "--how", "By letter")
    run.done("incident", "close", reference, "--reason", "Done")
    assert run.json("incident", "show", reference)["status"] == "closed"
    run.done("incident", "reopen", reference, "--reason", "A new victim")
    shown = run.json("incident", "show", reference)
    assert (shown["status"], shown["contained_at"]) == ("aware", at)


def test_an_exercise_counts_on_its_own(run: World) -> None:
    assert run.open("Drill", "--exercise") == "X2026-0001"
    assert run.open() == "2026-0001"
    assert "reaches a real person" in run.done("incident", "show", "x2026-0001")


def test_with_several_controllers_one_must_be_named(run: World) -> None:
    run.done("controller", "create", "--name", "Skyhost A/S", "--prefix", "SKY")
    assert "nordlys-aps, skyhost-a-s" in run.refused("incident", "open", "--title", "x")
    shown = run.json("incident", "open", "--title", "x", "--controller", "skyhost-a-s")
    assert (shown["controller"], shown["reference"]) == ("skyhost-a-s", "SKY-2026-0001")
    assert "There is nothing called elsewhere" in run.refused(
        "incident", "open", "--title", "x", "--controller", "elsewhere"
    )


def test_a_note_is_kept(run: World) -> None:
    reference = run.open()
    assert run.done("incident", "note", reference, "--text", "Ringede til udbyderen") == f"Noted on {reference}.\n"


def test_who_acts_stands_in_the_journal_with_her_own_rights(run: World) -> None:
    word = "hest batteri klips\n"
    run.done("user", "create", "--email", "dan@example.dk", "--role", "auditor", "--password-stdin", stdin=word)
    run.done("user", "create", "--email", "clara@example.dk", "--role", "responder", "--password-stdin", stdin=word)
    run.refused("incident", "open", "--title", "x", "--as", "dan@example.dk")
    assert run.json("incident", "list") == []
    reference = run.open("x", "--as", "clara@example.dk")
    line = run.refused("incident", "not-a-breach", reference, "--reason", "No", "--as", "clara@example.dk")
    assert line == "Your role does not allow this. Ask a decision-maker."
    assert "nobody@example.dk" in run.refused(
        "incident", "note", reference, "--text", "x", "--as", "nobody@example.dk"
    )


def test_a_disabled_account_cannot_act(run: World) -> None:
    word = "hest batteri klips\n"
    run.done("user", "create", "--email", "clara@example.dk", "--role", "responder", "--password-stdin", stdin=word)
    run.done("user", "disable", "--email", "clara@example.dk")
    run.refused("incident", "open", "--title", "x", "--as", "clara@example.dk")
    assert run.json("incident", "list") == []


def test_danish_readers_get_danish(run: World) -> None:
    line = run.refused("incident", "aware", "2026-0001", "--at", "2026-11-20T13:00", "--reason", "x", language="da")
    assert line.startswith("2026-11-20T13:00 mangler forskel fra UTC")
