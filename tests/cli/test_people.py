import pytest

from tests.cli.conftest import World

WORD = "hest batteri klips\n"


def _ada(run: World, *more: str) -> str:
    options = ("--email", "ada@example.dk", "--role", "administrator", "--password-stdin", *more)
    return run.done("user", "create", *options, stdin=WORD)


def test_an_account_is_made_with_its_role(run: World) -> None:
    assert _ada(run) == "ada@example.dk has an account (administrator, nordlys-aps).\n"


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("\n", "Use at least 12 signs"),
        ("kort\n", "Use at least 12 signs"),
        ("passwordpassword\n", "among those tried first"),
        ("ada@example.dk\n", "among those tried first"),
        ("å" * 2000 + "\n", "Use at most 1000 signs"),
    ],
)
def test_a_password_that_is_no_good_makes_no_account(run: World, password: str, words: str) -> None:
    options = ("--email", "ada@example.dk", "--role", "administrator", "--password-stdin")
    assert words in run.refused("user", "create", *options, stdin=password)
    assert "nothing called ada@example.dk" in run.refused("user", "disable", "--email", "ada@example.dk")


def test_without_a_terminal_the_password_must_come_from_stdin(run: World) -> None:
    assert run("user", "create", "--email", "ada@example.dk", "--role", "administrator").exit_code == 2


def test_the_same_email_makes_one_account(run: World) -> None:
    _ada(run)
    options = ("--email", "ADA@example.dk", "--role", "responder", "--password-stdin")
    assert "already an account" in run.refused("user", "create", *options, stdin=WORD)


@pytest.mark.parametrize("email", ["", "ada", "ada@", "ada@exa mple.dk", "ada@example.dk\nbcc: x@example.dk", "@"])
def test_what_is_no_email_makes_no_account(run: World, email: str) -> None:
    run.refused("user", "create", "--email", email, "--role", "responder", "--password-stdin", stdin=WORD)


def test_the_last_administrator_stays(run: World) -> None:
    _ada(run)
    assert "last administrator" in run.refused("user", "disable", "--email", "ada@example.dk")


def test_a_sole_administrator_gets_back_in_by_the_shell(run: World) -> None:
    _ada(run)
    new = "regnorm paraply tre\n"
    assert run.done("user", "password", "--email", "ada@example.dk", "--password-stdin", stdin=new)
    assert "Use at least" in run.refused(
        "user", "password", "--email", "ada@example.dk", "--password-stdin", stdin="kort\n"
    )


def test_only_an_administrator_makes_accounts(run: World) -> None:
    _ada(run)
    options = ("--password-stdin", "--email")
    run.done("user", "create", *options, "clara@example.dk", "--role", "responder", stdin=WORD)
    more = ("ben@example.dk", "--role", "responder", "--as", "clara@example.dk")
    assert "does not allow" in run.refused("user", "create", *options, *more, stdin=WORD)


def test_controllers_are_made_and_listed(run: World) -> None:
    made = run.json("controller", "create", "--name", "Skyhost A/S", "--prefix", "SKY", "--cvr", "00000000")
    assert made["reference_prefix"] == "SKY-"
    assert [one["slug"] for one in run.json("controller", "list")] == ["nordlys-aps", "skyhost-a-s"]
    assert "Skyhost A/S" in run.done("controller", "list")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--name", ""], "cannot be empty"),
        (["--name", "B"], "capital letters"),
        (["--name", "B", "--prefix", "b"], "capital letters"),
        (["--name", "B", "--prefix", "B", "--cvr", "123"], "eight digits"),
        (["--name", "B", "--prefix", "B", "--time-zone", "Europe/Odense"], "time zone"),
        (["--name", "B", "--prefix", "B", "--slug", "nordlys-aps"], "another"),
        (["--name", "B", "--prefix", "B", "--slug", "Ø"], "small letters"),
        (["--name", "x" * 121, "--prefix", "B"], "too long"),
    ],
)
def test_a_controller_that_cannot_be_is_not_made(run: World, options: list[str], words: str) -> None:
    assert words in run.refused("controller", "create", *options)
    assert len(run.json("controller", "list")) == 1


def test_people_on_call_are_shown_in_the_order_of_calling(run: World) -> None:
    run.done("oncall", "add", "--name", "Ben", "--phone", "34 41 23 45", "--verified")
    added = run.json("oncall", "add", "--name", "Ada", "--phone", "+4532123456", "--email", "ada@example.dk")
    assert (added["position"], added["phone"], added["verified"]) == (2, "+4532123456", False)
    assert [one["name"] for one in run.json("oncall", "show")] == ["Ben", "Ada"]
    assert "+45 34 41 23 45" in run.done("oncall", "show")
    assert "already" in run.refused("oncall", "add", "--name", "Clara", "--phone", "0045 34412345")


def test_a_test_goes_into_the_outbox_for_each_person(run: World) -> None:
    assert "Nobody is on call" in run.refused("oncall", "test")
    run.done("oncall", "add", "--name", "Ben", "--phone", "34412345")
    run.done("oncall", "add", "--name", "Ada", "--phone", "32123456")
    assert "nobody is alerted" in run("oncall", "test").stderr
    assert [one["purpose"] for one in run.json("outbox", "list")] == ["test", "test"]
    run.done("oncall", "test", "--name", "ada")
    assert len(run.json("outbox", "list")) == 3
    assert "Clara" in run.refused("oncall", "test", "--name", "Clara")
