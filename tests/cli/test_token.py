import pytest

from tests.cli.conftest import World

PASSWORD = "en gul cykel i regnvejr"


@pytest.fixture
def called(run: World) -> World:
    for name, role in (("ada", "administrator"), ("clara", "responder")):
        more = ("--role", role, "--password-stdin")
        run.done("user", "create", "--email", f"{name}@example.dk", *more, stdin=f"{PASSWORD}\n")
    return run


def test_a_token_is_printed_once_and_alone(called: World) -> None:
    result = called("token", "create", "--email", "ada@example.dk", "--name", "SIEM", "--scope", "incidents:write")
    assert result.exit_code == 0
    (written,) = result.stdout.splitlines()
    assert written.startswith("itk_")
    assert "incidents:write" in result.stderr
    (listed,) = called.json("token", "list")
    assert written.startswith(f"itk_{listed['id']}_")
    assert (listed["name"], listed["email"], listed["scopes"]) == ("SIEM", "ada@example.dk", ["incidents:write"])
    secret = written.rpartition(listed["id"])[2]
    for said in (called.done("token", "list"), called.done("token", "list", "--json")):
        assert secret not in said
    assert not [file for file in called.data.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]


def test_without_a_scope_a_token_may_only_read(called: World) -> None:
    made = called.json("token", "create", "--email", "clara@example.dk")
    assert made["token"].startswith("itk_")
    assert made["scopes"]
    assert all(one.endswith(":read") for one in made["scopes"])


def test_a_token_that_ends_says_when(called: World) -> None:
    made = called.json("token", "create", "--email", "clara@example.dk", "--expires-days", "7")
    assert made["expires_at"] == "2026-11-27T13:00:00Z"
    assert "1 to 3650 days" in called.refused("token", "create", "--email", "clara@example.dk", "--expires-days", "0")
    called.now.advance(days=8)
    assert "ended" in called.done("token", "list")


def test_a_revoked_token_is_said_to_be(called: World) -> None:
    made = called.json("token", "create", "--email", "clara@example.dk")
    assert "is revoked" in called.done("token", "revoke", made["id"])
    assert "before" in called.done("token", "revoke", made["id"])
    assert "revoked" in called.done("token", "list")
    called.refused("token", "revoke", "0" * 32)


def test_nobody_makes_a_token_that_acts_as_somebody_else(called: World) -> None:
    mine = ("--email", "clara@example.dk", "--as", "clara@example.dk")
    made = called.json("token", "create", *mine)
    assert "owner" in called.refused("token", "create", "--email", "clara@example.dk", "--as", "ada@example.dk")
    assert "owner" in called.refused("token", "create", "--email", "ada@example.dk", "--as", "clara@example.dk")
    hers = called.json("token", "create", "--email", "ada@example.dk")
    called.refused("token", "revoke", hers["id"], "--as", "clara@example.dk")
    assert [one["id"] for one in called.json("token", "list", "--as", "clara@example.dk")] == [made["id"]]
    assert "is revoked" in called.done("token", "revoke", made["id"], "--as", "ada@example.dk")


def test_an_unknown_scope_is_wrong_usage(called: World) -> None:
    result = called("token", "create", "--email", "ada@example.dk", "--scope", "everything")
    assert result.exit_code == 2


def test_making_and_revoking_stand_in_the_journal(called: World) -> None:
    before = called.json("journal", "verify")["entries"]
    made = called.json("token", "create", "--email", "ada@example.dk")
    called.done("token", "revoke", made["id"])
    assert called.json("journal", "verify")["entries"] == before + 2
