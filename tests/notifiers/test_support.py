"""The tools that notifiers share: the total deadline, the settings, the waits that providers ask for."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.protocol import Accepted, Channel, Content, Deadline, Message, NotifierSettingsError, NotSent, Unknown
from notifiers.support.http_answers import LONGEST_WAIT, retry_after
from notifiers.support.running import Answers, Call, CallSlots, UnansweredError, ask_bounded, send_bounded
from notifiers.support.settings import SettingsReader
from notifiers.support.texts import one_line, without_controls

NOW = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
MESSAGES = [Message(f"a{number}", "d", "+4534412345", Content(text="x")) for number in range(3)]


def soon(seconds: float = 5) -> Deadline:
    return Deadline(seconds, time.monotonic)


def run(work: Callable[[Call], None], seconds: float = 5) -> dict[str, type]:
    return {one.attempt: type(one) for one in send_bounded(MESSAGES, soon(seconds), work, CallSlots(2))}


@pytest.mark.parametrize(
    "error", [RuntimeError("clara@example.dk"), SystemExit(1), KeyboardInterrupt(), MemoryError()]
)
def test_whatever_breaks_off_is_in_doubt_only_for_what_was_handed_over(error: BaseException) -> None:
    def work(call: Call) -> None:
        call.commit(MESSAGES[0])
        call.tell(Accepted("a0", "id"))
        call.commit(MESSAGES[1])
        raise error

    outcomes = list(send_bounded(MESSAGES, soon(), work, CallSlots(1)))
    assert [type(one) for one in outcomes] == [Accepted, Unknown, NotSent]
    assert "clara" not in repr(outcomes)


def test_what_was_taken_back_is_certainly_not_sent() -> None:
    def work(call: Call) -> None:
        call.commit(*MESSAGES)
        call.release(MESSAGES[1])

    assert run(work) == {"a0": Unknown, "a1": NotSent, "a2": Unknown}


def test_after_the_caller_has_left_nothing_more_is_handed_over() -> None:
    left, tried = threading.Event(), []

    def work(call: Call) -> None:
        call.commit(MESSAGES[0])
        call.tell(Accepted("a0", "id"))
        left.wait(5)
        call.commit(MESSAGES[1])
        tried.append(1)

    outcomes = send_bounded(MESSAGES, soon(), work, CallSlots(1))
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    left.set()
    for thread in threading.enumerate():
        if thread.name == "notifier call":
            thread.join(5)
    assert not tried


def test_calls_that_never_come_back_do_not_pile_up() -> None:
    slots, gate = CallSlots(1), threading.Event()

    def hang(call: Call) -> None:
        call.commit(*MESSAGES)
        gate.wait(5)

    assert {type(one) for one in send_bounded(MESSAGES, soon(0.1), hang, slots)} == {Unknown}
    assert {type(one) for one in send_bounded(MESSAGES, soon(), hang, slots)} == {NotSent}
    gate.set()


def test_a_question_that_breaks_off_gives_what_it_had_and_then_says_so() -> None:
    def ask(answers: Answers[int]) -> None:
        answers.tell(1)
        raise OSError("ada@example.dk")

    told: list[int] = []
    with pytest.raises(UnansweredError, match="OSError") as caught:
        told.extend(ask_bounded(soon(), ask, CallSlots(1)))
    assert "ada" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": " 7.5 "}, 7.5),
        ({"Retry-After": "99999999"}, LONGEST_WAIT),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "tomorrow"}, None),
        ({"Retry-After": format_datetime(NOW + timedelta(seconds=90))}, None),
        ({"Retry-After": format_datetime(NOW + timedelta(seconds=90)), "Date": format_datetime(NOW)}, 90.0),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 30), "Date": format_datetime(NOW)}, 30.0),
        (
            {"X-RateLimit-Reset": "1", "X-RateLimit-Remaining": "5", "Date": format_datetime(NOW)},
            None,
        ),
        ({}, None),
    ],
)
def test_a_wait_is_read_in_every_form_and_nonsense_is_none(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@given(st.dictionaries(st.sampled_from(["Retry-After", "Date", "X-RateLimit-Reset"]), st.text()))
def test_no_header_can_make_us_wait_long_or_fail(headers: dict[str, str]) -> None:
    wait = retry_after(headers)
    assert wait is None or 0 <= wait <= LONGEST_WAIT


@given(st.text())
def test_cleaned_text_has_no_control_characters(text: str) -> None:
    assert not any(ord(sign) < 32 or sign in "\x7f\u2028\u2029" for sign in one_line(text))
    assert not any(ord(sign) < 32 and sign not in "\t\r\n" for sign in without_controls(text))


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://proxy.example.org/twilio/", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost", True),
        ("http://proxy.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("ftp://127.0.0.1", False),
        ("proxy.example.org", False),
        ("https://user:secret@proxy.example.org", False),
        ("https://proxy.example.org?x=1", False),
        ("https://[broken", False),
        ("https://proxy.example.org:port", False),
    ],
)
def test_credentials_go_over_https_or_stay_on_this_machine(address: str, *, good: bool) -> None:
    reader = SettingsReader("x", {"api_base": address})
    assert not reader.base_address("api_base").endswith("/")
    if good:
        reader.finish()
        return
    with pytest.raises(NotifierSettingsError) as caught:
        reader.finish()
    assert "secret" not in str(caught.value)


def test_settings_are_read_as_toml_and_as_environment_give_them() -> None:
    class Hidden:
        def get_secret_value(self) -> str:
            return " token "

    reader = SettingsReader("x", {"a": Hidden(), "b": "25", "c": "yes", "d": "k1, k2", "e": ["k1", "k2"], "f": None})
    assert reader.text("a", required=True) == "token"
    assert reader.number("b", default=1, least=1, most=65535) == 25
    assert reader.flag("c") is True
    assert reader.texts("d") == reader.texts("e") == ("k1", "k2")
    assert reader.text("f", default="none") == "none"
    reader.channel(Channel.SMS, {Channel.SMS})
    reader.finish()


def test_wrong_kinds_of_settings_are_all_named() -> None:
    reader = SettingsReader("x", {"a": 5, "b": True, "c": "maybe", "d": [1], "e": "mars"})
    reader.text("a")
    reader.number("b", default=1, least=1, most=9)
    reader.flag("c")
    reader.texts("d")
    reader.choice("e", ("eu", "global"), default="global")
    with pytest.raises(NotifierSettingsError) as caught:
        reader.finish()
    assert [mistake.split(":")[0] for mistake in caught.value.mistakes] == [f"notifiers.x.{key}" for key in "abcde"]
