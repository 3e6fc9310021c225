import json
import os
import subprocess
import sys

import click
import pytest

from incident_tracker.cli import common, language, main
from incident_tracker.cli.program import explain
from incident_tracker.domain.periods import TimeIsInFuture
from tests.cli.conftest import World
from tests.makers import START

HEAVY = ("sqlalchemy", "babel", "jinja2", "flask", "pydantic", "cryptography", "twilio", "sendgrid", "alembic")


def _paths(group: click.Group, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [before]
    for word, command in group.commands.items():
        found += _paths(command, (*before, word)) if isinstance(command, click.Group) else [(*before, word)]
    return found


@pytest.mark.parametrize("path", _paths(main), ids=" ".join)
def test_help_answers_everywhere(bare: World, path: tuple[str, ...]) -> None:
    assert "Usage: incident-tracker" in bare.done(*path, "--help")


def test_help_loads_nothing_heavy() -> None:
    script = f"""
import sys
from incident_tracker.cli import main
try:
    main(["incident", "open", "--help"])
except SystemExit:
    pass
print([name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("variables", "spoken"),
    [
        ({}, "en"),
        ({"LANG": "da_DK.UTF-8"}, "da"),
        ({"LANG": "da_DK.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "da:en"}, "da"),
        ({"LANG": "da_DK.UTF-8", "LC_ALL": ""}, "da"),
        ({"LC_MESSAGES": "da_DK"}, "da"),
    ],
)
def test_the_first_variable_that_says_anything_decides_the_language(variables: dict[str, str], spoken: str) -> None:
    assert language.language_of(variables) == spoken


def test_times_in_a_refusal_are_said_in_danish_time(bare: World) -> None:
    del bare
    refusal = TimeIsInFuture(field="at", value=START)
    assert common.translate(refusal, "en").startswith("Friday 20 November 2026 at 14:00")
    assert common.translate(refusal, "da").startswith("fredag 20. november 2026 kl. 14.00")


@pytest.mark.parametrize(
    "arguments",
    [
        ["incident"],
        ["incident", "--nothing"],
        ["nothing"],
        ["incident", "list", "--limit", "0"],
        ["incident", "open"],
    ],
)
def test_wrong_usage_is_exit_code_2(bare: World, arguments: list[str]) -> None:
    assert bare(*arguments).exit_code == 2


def test_an_error_that_nobody_foresaw_says_its_kind_and_logs_its_place_but_not_its_text(
    run: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("ben@example.dk stands in this text")

    monkeypatch.setattr("incident_tracker.services.register.overview", fail)
    result = run("incident", "show", "2026-0001")
    assert result.exit_code == 3
    logged, line = result.stderr.splitlines()
    assert line == "Something is broken: LookupError. The log line above says where."
    assert json.loads(logged)["error"] == "LookupError"
    assert any("in fail" in place or " fail" in place for place in json.loads(logged)["where"])
    assert "ben@example.dk" not in result.output


def test_every_mistake_in_the_settings_is_a_line_of_its_own(bare: World) -> None:
    bare.settings |= {"SERVER__PORT": "many", "CLOCK__TICK_SECONDS": "-1", "SERVER__COLOUR": "red"}
    result = bare("incident", "list")
    assert result.exit_code == 3
    assert sorted(line.split(":")[0] for line in result.stderr.splitlines()) == [
        "clock.tick_seconds",
        "server.colour",
        "server.port",
    ]


def test_a_refusal_stays_on_one_line_whatever_was_typed() -> None:
    from incident_tracker.domain.errors import NotFound  # noqa: PLC0415

    (line,), code = explain(NotFound(what="a\nb\x1b[31mc\u202e"), "en")
    assert line == "There is nothing called a b [31mc  here. Check the reference."
    assert code == 1


def test_a_reader_that_goes_away_is_no_error(run: World) -> None:
    for number in range(3):
        run.open(f"Number {number} " + "x" * 150)
    reading, writing = os.pipe()
    os.close(reading)
    done = run.process("incident", "list", "--json", capture_output=False, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.stderr, done.returncode) == ("", 141)
