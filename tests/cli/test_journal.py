import json
import sqlite3

from tests.cli.conftest import World


def _sqlite(run: World, *statements: str) -> None:
    """Do what only somebody can do who has taken the triggers away."""
    connection = sqlite3.connect(run.data / "incident-tracker.sqlite3")
    with connection:
        for statement in ("DROP TRIGGER journal_refuses_update", "DROP TRIGGER journal_refuses_delete", *statements):
            connection.execute(statement)
    connection.close()


def _verdict(run: World, *options: str) -> dict[str, object]:
    result = run("journal", "verify", "--json", *options)
    verdict: dict[str, object] = json.loads(result.stdout)
    assert result.exit_code == (0 if verdict["result"] == "ok" else 3)
    return verdict


def test_a_whole_journal_is_ok(run: World) -> None:
    run.open()
    verdict = _verdict(run)
    assert verdict.keys() >= {"result", "entries", "first_bad_seq", "head"}
    assert (verdict["result"], verdict["first_bad_seq"]) == ("ok", None)
    assert run.done("journal", "verify").startswith("ok: Every entry is linked")


def test_an_altered_entry_is_named(run: World) -> None:
    run.open()
    _sqlite(run, "UPDATE journal SET actor = 'user:9' WHERE seq = 2")
    verdict = _verdict(run)
    assert (verdict["result"], verdict["first_bad_seq"], verdict["entries"]) == ("broken", 2, 1)


def test_a_cut_tail_is_shown_by_the_anchors(run: World) -> None:
    run.open()
    _sqlite(
        run,
        "DELETE FROM journal WHERE seq > 1",
        "UPDATE journal_head SET seq = 1, hash = (SELECT hash FROM journal WHERE seq = 1)",
    )
    assert _verdict(run)["result"] == "truncated"


def test_without_anchors_a_cut_tail_would_not_be_seen(run: World) -> None:
    run.open()
    own = run.data / "journal-anchors.txt"
    kept = run.folder / "kept.txt"
    own.rename(kept)
    assert _verdict(run)["result"] == "anchor_missing"
    assert _verdict(run, "--anchors", str(kept))["result"] == "ok"
    assert _verdict(run, "--anchors", "nowhere.txt")["result"] == "anchor_missing"


def test_a_file_that_holds_no_anchors_is_refused(run: World) -> None:
    file = run.folder / "letter.txt"
    file.write_text("Dear Ada\n")
    assert "is not an anchor" in run.refused("journal", "verify", "--anchors", str(file), code=3)
