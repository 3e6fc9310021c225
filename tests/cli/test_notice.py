"""Telling people from the shell: write, check, hand over, approve, send, follow."""

import json
from pathlib import Path

import pytest

from incident_tracker.services import notices as service
from tests.cli.conftest import World
from tests.notices import DANISH, ENGLISH

CLARA, ADA = "clara@example.dk", "ada@example.dk"
PASSWORD = "en gul cykel i regn\n"
LIST = """navn;e-mail;telefon;sprog;ordre
Anna Jørgensen;anna@example.org;+45 34 41 23 45;da;17
Søren Ærø;soeren@example.org;;da;18
John;john@example.org;;en;19
"""


def _file(folder: Path, name: str, subject: str, body: str) -> str:
    (folder / name).write_text(f"Subject: {subject}\n\n{body}", "utf-8")
    return str(folder / name)


@pytest.fixture
def reference(run: World, tmp_path: Path) -> str:
    """Give a breach with a list of three people, and an installation with two members of staff."""
    run.done("controller", "change", "nordlys-aps", "--dpo-name", "Ada", "--dpo-email", ADA)
    for email, role in ((CLARA, "responder"), (ADA, "decision_maker")):
        run.done(
            "user", "create", "--email", email, "--role", role, "--password-stdin", stdin="en gul cykel i regn\n"
        )
    name = run.open()
    run.done("incident", "aware", name, "--at", "2026-11-20T14:00:00+01:00", "--reason", "Set i loggen")
    (tmp_path / "folk.csv").write_text(LIST, "utf-8")
    run.done("people", "import", name, str(tmp_path / "folk.csv"))
    return name


def create(run: World, reference: str, folder: Path, *more: str) -> str:
    da, en = (
        _file(folder, "da.md", DANISH.subject, DANISH.body),
        _file(folder, "en.md", ENGLISH.subject, ENGLISH.body),
    )
    made = run.json("notice", "create", reference, "--text", da, "--also", f"en={en}", "--as", CLARA, *more)
    assert made.keys() >= {"notice", "number", "incident", "reference", "state", "version", "digest"}
    return str(made["notice"])


def tell_on(run: World) -> None:
    """Let a clock elsewhere do what it does."""
    from incident_tracker import bootstrap  # noqa: PLC0415 - only here a whole tracker is needed
    from incident_tracker.settings import load  # noqa: PLC0415
    from tests.delivery.world import NEVER  # noqa: PLC0415

    tracker = bootstrap.build(load(run.environment, None), now=run.now)
    for _ in range(3):
        service.go_on(tracker.context, run.now())
        tracker.engine.drain(NEVER)
        tracker.engine.sweep()
    tracker.close()


def test_a_notice_goes_from_the_file_to_the_outbox_here(run: World, reference: str, tmp_path: Path) -> None:
    number = create(run, reference, tmp_path)
    checks = {one["id"]: one for one in run.json("notice", "check", number)}
    assert not checks["nature"]["ok"]
    assert checks["actions"]["ok"]
    preview = run.json("notice", "preview", number)
    assert (preview["recipients"], preview["by_language"]) == (3, {"da": 2, "en": 1})
    assert "Kære Anna Jørgensen" in preview["previews"][0]["text"]
    run.done("notice", "submit", number, "--tick", "all", "--as", CLARA)
    run.refused("notice", "approve", number, "--as", CLARA)
    run.done("notice", "approve", number, "--as", ADA)
    run.done("notice", "send", number, "--as", CLARA)
    status = run.json("notice", "status", number)
    assert status.keys() >= {"notice", "state", "recipients", "counts", "rate_per_second", "remaining_seconds"}
    assert (status["state"], status["recipients"], status["counts"]["pending"]) == ("sending", 3, 3)
    tell_on(run)
    assert run.json("notice", "status", f"{reference}/1")["state"] == "finished"
    run.done("notice", "send", number, "--wait")
    ledger = run.json("notice", "ledger", number)
    assert sorted(one["name"] for one in ledger) == ["Anna Jørgensen", "John", "Søren Ærø"]
    assert {one["state"] for one in ledger} <= {"accepted", "delivered"}
    duties = {one["duty"]: one["standing"] for one in run.json("incident", "show", reference)["obligations"]}
    assert run.json("notice", "status", number)["kept_here"] == 3
    assert (duties["notify_people"], duties["inform_parties"]) == ("open", "open")
    assert [one["state"] for one in run.json("notice", "list", reference)] == ["finished"]


def test_the_shell_never_approves_anything(run: World, reference: str, tmp_path: Path) -> None:
    number = create(run, reference, tmp_path)
    run.done("notice", "submit", number, "--tick", "all")
    assert "--as" in run.refused("notice", "approve", number)
    assert "--as" in run.refused("notice", "reject", number, "--reason", "Nej")
    run.done("notice", "reject", number, "--reason", "For lang", "--as", ADA)
    assert run.json("notice", "status", number)["state"] == "draft"


def test_what_is_missing_is_said_in_one_line(run: World, reference: str, tmp_path: Path) -> None:
    number = create(run, reference, tmp_path)
    assert "nature" in run.refused("notice", "submit", number)
    assert "nobody has asked" in run.refused("notice", "approve", number, "--as", ADA).casefold()
    assert "draft" in run.refused("notice", "send", number)
    assert "--as" in run.refused("notice", "test", number)
    bad = _file(tmp_path, "bad.md", "x", "Hej {{cpr}} {{field.skostørrelse}}")
    line = run.refused("notice", "create", reference, "--text", bad)
    assert "{{cpr}}" in line
    assert "{{field.ordre}}" in line
    (tmp_path / "plain.md").write_text("Kære alle", "utf-8")
    assert "Subject:" in run.refused("notice", "create", reference, "--text", str(tmp_path / "plain.md"))
    (tmp_path / "odd.md").write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in run.refused("notice", "create", reference, "--text", str(tmp_path / "odd.md"))
    good = str(tmp_path / "da.md")
    assert "email, sms" in run.refused("notice", "create", reference, "--text", good, "--channels", "fax")
    run.refused("notice", "status", "4711")
    run.refused("notice", "status", f"{reference}/9")
    run.refused("notice", "status", "x" * 300)


def test_a_sending_is_paused_resumed_and_stopped_with_the_reference_typed(
    run: World, reference: str, tmp_path: Path
) -> None:
    number = create(run, reference, tmp_path)
    run.done("notice", "submit", number, "--tick", "all", "--as", CLARA)
    run.done("notice", "approve", number, "--as", ADA)
    run.done("notice", "send", number, "--as", CLARA)
    run.done("notice", "pause", number, "--reason", "Vent")
    assert "Vent" in run.refused("notice", "send", number, "--wait")
    run.done("notice", "resume", number)
    assert reference in run.refused("notice", "stop", number, "--reason", "Forkert liste")
    run.done("notice", "stop", number, "--reason", "Forkert liste", "--confirm", reference)
    status = run.json("notice", "status", number)
    assert (status["state"], status["counts"]["cancelled"]) == ("stopped", 3)
    run.refused("notice", "send", number, "--wait")
    run.refused("notice", "retry", number, "--channel", "sms")


def test_a_test_goes_to_ones_own_mail(run: World, reference: str, tmp_path: Path) -> None:
    number = create(run, reference, tmp_path)
    said = run.done("notice", "test", number, "--as", CLARA)
    assert said.count("outbox") == 2
    assert [one["purpose"] for one in run.json("outbox", "list")][:2] == ["test", "test"]


def test_a_change_is_a_new_version(run: World, reference: str, tmp_path: Path) -> None:
    number = create(run, reference, tmp_path)
    run.done("notice", "submit", number, "--tick", "all", "--as", CLARA)
    other = _file(tmp_path, "other.md", "Noget andet", DANISH.body)
    changed = run.json("notice", "change", number, "--text", other, "--as", CLARA)
    assert (changed["version"], changed["state"], changed["languages"]) == (2, "draft", ["da"])
    assert json.dumps(changed)


def test_waiting_where_nobody_sends_ends_with_a_clear_line(
    run: World, reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from incident_tracker.cli.notice import sending  # noqa: PLC0415

    monkeypatch.setattr(sending, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(sending, "LOOK_SECONDS", 0.01)
    number = create(run, reference, tmp_path)
    run.done("notice", "submit", number, "--tick", "all", "--as", CLARA)
    run.done("notice", "approve", number, "--as", ADA)
    result = run("notice", "send", number, "--wait", "--as", CLARA)
    assert result.exit_code == 1
    assert "no clock runs" in result.stderr
