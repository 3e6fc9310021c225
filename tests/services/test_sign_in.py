import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.services import accounts, passwords, sign_in
from incident_tracker.services.context import Context
from incident_tracker.services.sign_in import SignInRefused, SignInSlowedDown
from tests.makers import PASSWORD, HandClock, in_threads, make_context, make_controller, make_user
from tests.services.world import World

HERE = "192.0.2.1"
THERE = "198.51.100.7"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def context(tmp_path: Path, clock: HandClock) -> Iterator[Context]:
    made = make_context(tmp_path, clock)
    yield made
    made.database.close()


@pytest.fixture
def controller(context: Context) -> Controller:
    return make_controller(context)


def _enter(context: Context, password: str = PASSWORD, email: str = "ada@example.dk", address: str = HERE) -> str:
    return sign_in.sign_in(context, email=email, password=password, address=address)


def test_who_signs_in_acts_with_her_roles(context: Context, controller: Controller) -> None:
    user = make_user(context, controller, Role.RESPONDER)
    found = sign_in.resume(context, _enter(context, email="  ADA@Example.DK "))
    assert found is not None
    assert found.actor.name == f"user:{user.id}"
    assert found.actor.grants == {controller.id: Role.RESPONDER}


@pytest.mark.parametrize("secret", ["", "x", "\x00", "æ" * 5000])
def test_a_made_up_cookie_is_nobody(context: Context, secret: str) -> None:
    assert sign_in.resume(context, secret) is None


def test_the_table_holds_no_secret_that_a_cookie_could_use(context: Context, controller: Controller) -> None:
    make_user(context, controller)
    secret = _enter(context)
    context.database.close()
    for file in context.settings.data.dir.glob("*.sqlite3*"):
        assert secret.encode() not in file.read_bytes()
        assert b"ada@example.dk" not in file.read_bytes()


def test_unknown_people_shut_accounts_and_wrong_passwords_get_the_same_answer(
    context: Context, controller: Controller, clock: HandClock
) -> None:
    make_user(context, controller)
    ben = make_user(context, controller, Role.RESPONDER, "ben@example.dk", "Ben")
    accounts.disable(context, sign_in.actor_of(accounts.find(context, "ada@example.dk")), ben.id)
    answers = set()
    for email, password in (
        ("ada@example.dk", "wrong wrong wrong"),
        ("nobody@example.dk", PASSWORD),
        ("ben@example.dk", PASSWORD),
        ("", ""),
        ("ada@example.dk", "x" * 2000),
    ):
        with pytest.raises(SignInRefused) as refused:
            _enter(context, password, email)
        answers.add((str(refused.value), refused.value.field))
        clock.advance(minutes=2)
    assert len(answers) == 1


def test_an_unknown_account_costs_as_much_work_as_a_wrong_password() -> None:
    kept = passwords.hashed(PASSWORD)
    passwords.matches(None, "warm")
    times: dict[bool, list[float]] = {True: [], False: []}
    for known in [True, False] * 8:
        before = time.perf_counter()
        passwords.matches(kept if known else None, "wrong wrong wrong")
        times[known].append(time.perf_counter() - before)
    ratio = min(times[True]) / min(times[False])
    assert 0.6 < ratio < 1.6, (statistics.median(times[True]), statistics.median(times[False]))


def test_failures_slow_one_network_down_and_shut_nobody_out_elsewhere(
    context: Context, controller: Controller, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(context, controller)
    with monkeypatch.context() as quick:
        quick.setattr(passwords, "matches", lambda *_: False)
        refused = slowed = 0
        for _ in range(1000):
            try:
                _enter(context, "wrong wrong wrong")
            except SignInRefused:
                refused += 1
            except SignInSlowedDown:
                slowed += 1
            clock.advance(seconds=0.1)
    assert slowed > 900
    assert refused < 20
    assert sign_in.resume(context, _enter(context, address=THERE)) is not None
    clock.advance(seconds=61)
    assert sign_in.resume(context, _enter(context, address=HERE)) is not None


def test_one_network_that_tries_many_accounts_is_slowed_down_too(
    context: Context, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(context, controller)
    monkeypatch.setattr(passwords, "matches", lambda *_: False)
    for number in range(20):
        with pytest.raises(SignInRefused):
            _enter(context, "wrong", f"person{number}@example.dk")
    with pytest.raises(SignInSlowedDown) as slowed:
        _enter(context, "wrong", "another@example.dk")
    assert int(str(slowed.value.params["seconds"])) >= 1


def test_a_good_sign_in_does_not_clear_the_network_for_others(context: Context, controller: Controller) -> None:
    make_user(context, controller)
    for number in range(19):
        with pytest.raises(SignInRefused):
            _enter(context, "x" * 1001, f"person{number}@example.dk")
    _enter(context)
    with pytest.raises(SignInRefused):
        _enter(context, "x" * 1001, "another@example.dk")
    with pytest.raises(SignInSlowedDown):
        _enter(context, "x" * 1001, "yet-another@example.dk")


def test_many_tries_at_once_gain_nothing(either: World) -> None:
    make_user(either.context, either.controller)
    outcomes: list[str] = []

    def knock(_: int) -> None:
        try:
            _enter(either.context, "x" * 1001)
        except (SignInRefused, SignInSlowedDown) as refusal:
            outcomes.append(type(refusal).__name__)

    in_threads(12, knock)
    assert sorted(outcomes) == ["SignInRefused"] * 3 + ["SignInSlowedDown"] * 9


def test_good_and_wrong_tries_at_once_do_not_wait_for_each_other_for_ever(either: World) -> None:
    people = [f"person{number}@example.dk" for number in range(6)]
    for email in people:
        make_user(either.context, either.controller, email=email)
    in_threads(6, lambda index: _enter(either.context, email=people[index]))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_a_network_is_what_one_household_has(address: str, network: str) -> None:
    assert sign_in.network_of(address) == network


def test_a_sign_in_ends_after_an_idle_hour(context: Context, controller: Controller, clock: HandClock) -> None:
    make_user(context, controller)
    secret = _enter(context)
    clock.advance(minutes=59)
    assert sign_in.resume(context, secret) is not None
    clock.advance(minutes=59)
    assert sign_in.resume(context, secret) is not None
    clock.advance(minutes=60)
    assert sign_in.resume(context, secret) is None


def test_a_sign_in_ends_after_twelve_hours_however_busy(
    context: Context, controller: Controller, clock: HandClock
) -> None:
    make_user(context, controller)
    secret = _enter(context)
    for _ in range(23):
        clock.advance(minutes=30)
        assert sign_in.resume(context, secret) is not None
    clock.advance(minutes=30)
    assert sign_in.resume(context, secret) is None


def test_signing_out_ends_the_sign_in_itself(context: Context, controller: Controller) -> None:
    make_user(context, controller)
    secret, other = _enter(context), _enter(context)
    sign_in.sign_out(context, secret)
    assert sign_in.resume(context, secret) is None
    assert sign_in.resume(context, other) is not None


def test_a_new_password_ends_every_sign_in(context: Context, controller: Controller) -> None:
    user = make_user(context, controller)
    first, second = _enter(context), _enter(context)
    actor = sign_in.actor_of(user)
    accounts.change_own_password(context, actor, current=PASSWORD, password="tre blå cykler i sneen")
    assert sign_in.resume(context, first) is None
    assert sign_in.resume(context, second) is None
    with pytest.raises(SignInRefused):
        _enter(context)
    assert sign_in.resume(context, _enter(context, "tre blå cykler i sneen")) is not None


def test_a_shut_account_is_out_at_once(context: Context, controller: Controller) -> None:
    ada = make_user(context, controller)
    make_user(context, controller, Role.RESPONDER, "ben@example.dk", "Ben")
    secret = _enter(context, email="ben@example.dk")
    accounts.disable(context, sign_in.actor_of(ada), accounts.find(context, "ben@example.dk").id)
    assert sign_in.resume(context, secret) is None
    with pytest.raises(NotFound):
        accounts.find(context, "nobody@example.dk")


def test_a_role_taken_away_holds_from_the_next_page_on(context: Context, controller: Controller) -> None:
    ada = make_user(context, controller)
    ben = make_user(context, controller, Role.RESPONDER, "ben@example.dk", "Ben")
    secret = _enter(context, email="ben@example.dk")
    accounts.set_role(context, sign_in.actor_of(ada), ben.id, controller.id, None)
    found = sign_in.resume(context, secret)
    assert found is not None
    assert found.actor.scope == frozenset()
