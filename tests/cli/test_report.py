import json
from pathlib import Path

import pytest

from tests.cli.conftest import World

AT = "2026-11-20T14:00:00+01:00"


@pytest.fixture
def reference(run: World) -> str:
    """Give an incident of which the controller is aware."""
    name = run.open()
    run.done("incident", "aware", name, "--at", AT, "--reason", "They can see each other")
    return name


def test_the_draft_as_json_has_the_documented_keys(run: World, reference: str, tmp_path: Path) -> None:
    out = tmp_path / "draft.json"
    said = run.done("report", "draft", reference, "--authority", "dk", "--language", "da", "--out", str(out))
    draft = json.loads(out.read_text("utf-8"))
    assert draft.keys() >= {
        "authority",
        "language",
        "version",
        "phase",
        "checked_against_live_form",
        "questions",
        "missing",
        "blocked_by",
    }
    assert draft["questions"][0].keys() >= {"key", "canonical", "label", "answer", "missing", "warnings"}
    assert f"Written: {out}." in said
    assert "Still missing" in said


@pytest.mark.parametrize(("ending", "start"), [("pdf", b"%PDF-"), ("html", b"<!doctype html>")])
def test_the_draft_is_written_as_its_ending_says(
    run: World, reference: str, tmp_path: Path, ending: str, start: bytes
) -> None:
    out = tmp_path / f"draft.{ending}"
    run.done("report", "draft", reference, "--language", "en", "--out", str(out))
    assert out.read_bytes().lower().startswith(start.lower())


def test_a_draft_that_cannot_be_written_leaves_what_was_there(run: World, reference: str, tmp_path: Path) -> None:
    assert run("report", "draft", reference, "--out", str(tmp_path / "draft.docx")).exit_code == 2
    line = run.refused("report", "draft", reference, "--out", str(tmp_path / "nowhere" / "draft.json"))
    assert "was not written" in line
    out = tmp_path / "draft.json"
    out.write_text("before")
    run.refused("report", "draft", "2026-0999", "--out", str(out))
    run.refused("report", "draft", reference, "--authority", "xx", "--out", str(out))
    assert out.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".part"] == []


def _filed(run: World, reference: str, *more: str) -> dict[str, str]:
    run.now.advance(hours=2)
    run.done("report", "filed", reference, "--version", "1", "--at", AT, "--reference", "V-1", *more)
    shown = run.json("incident", "show", reference)
    return {one["duty"]: one["standing"] for one in shown["obligations"]}


def test_filing_meets_the_duty(run: World, reference: str) -> None:
    standing = _filed(run, reference, "--no-receipt-reason", "The portal gave none", "--journal-number", "J-1")
    assert standing["notify_authority"] == "met"
    assert standing["complete_report"] == "open"


def test_the_receipt_is_kept_encrypted(run: World, reference: str, tmp_path: Path) -> None:
    receipt = tmp_path / "kvittering.txt"
    receipt.write_text("a receipt that can be told")
    assert _filed(run, reference, "--receipt", str(receipt))["notify_authority"] == "met"
    (kept,) = (run.data / "attachments").iterdir()
    assert b"can be told" not in kept.read_bytes()


def test_a_late_report_demands_the_reason_and_keeps_nothing_without_it(
    run: World, reference: str, tmp_path: Path
) -> None:
    run.now.advance(hours=100)
    receipt = tmp_path / "kvittering.txt"
    receipt.write_text("a receipt")
    late = ("--version", "1", "--at", "2026-11-24T14:00:00+01:00", "--reference", "V-1", "--receipt", str(receipt))
    run.refused("report", "filed", reference, *late)
    assert not (run.data / "attachments").exists()
    run.done("report", "filed", reference, *late, "--late-reason", "Nobody was at work")
    (duty,) = [
        one for one in run.json("incident", "show", reference)["obligations"] if one["duty"] == "notify_authority"
    ]
    assert duty["standing"] == "met_late"


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--no-receipt-reason", " "],
        ["--no-receipt-reason", "x", "--final", "--withdrawn"],
        ["--receipt", "nowhere.pdf"],
    ],
)
def test_a_filing_without_proof_is_wrong_usage(run: World, reference: str, options: list[str]) -> None:
    assert run("report", "filed", reference, "--version", "1", "--at", AT, *options).exit_code == 2


@pytest.mark.parametrize(
    ("version", "at"),
    [("2", AT), ("1", "2026-11-20T13:59:00+01:00"), ("1", "2026-11-21T14:00:00+01:00"), ("1", "2026-11-20T14:00")],
)
def test_a_filing_that_cannot_be_is_refused_and_nothing_is_kept(
    run: World, reference: str, tmp_path: Path, version: str, at: str
) -> None:
    receipt = tmp_path / "kvittering.txt"
    receipt.write_text("a receipt")
    options = ("--version", version, "--at", at, "--reference", "V-1", "--receipt", str(receipt))
    run.refused("report", "filed", reference, *options)
    assert not (run.data / "attachments").exists()


def test_a_number_that_cannot_be_kept_leaves_no_receipt_behind(run: World, reference: str, tmp_path: Path) -> None:
    receipt = tmp_path / "kvittering.txt"
    receipt.write_text("a receipt")
    options = ("--version", "1", "--at", AT, "--reference", "V-1\x07", "--receipt", str(receipt))
    run.refused("report", "filed", reference, *options)
    assert not (run.data / "attachments").exists()
