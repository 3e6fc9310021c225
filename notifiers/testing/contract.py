# ruff: noqa: D102 the name of a test is its sentence
"""What every notifier promises, as tests. Subclass `NotifierContract` in the tests of your notifier.

Works with pytest and needs nothing of it. A promise that does not concern a notifier is taken out of its tests by
what the subclass declares, so that nothing is skipped in silence.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from notifiers.protocol import (
    Accepted,
    CallbackRequest,
    Channel,
    Content,
    Deadline,
    ForgedCallbackError,
    Message,
    Notifier,
    NotifierSettingsError,
    NotSent,
    Outcome,
    ReadsCallbacks,
    Refused,
    Unknown,
)
from notifiers.testing.situations import SHORT_SITUATIONS, STRANGE_TEXTS, Situation, demand, everything_logged

PATIENCE = 10.0
"""Seconds a test gives to a call that should succeed."""
SHORT = 0.6
"""Seconds a test gives to a call that must be cut."""
GRACE = 0.5
"""Seconds by which a call may miss its deadline on a busy machine."""
_TESTS = {
    Situation.REFUSES_ADDRESS: "test_a_refused_address_fails_for_good",
    Situation.SENDS_AWAY: "test_a_busy_provider_means_certainly_not_sent",
    Situation.UNREACHABLE: "test_an_unreachable_provider_means_certainly_not_sent",
    Situation.LOCKS_OUT: "test_a_provider_that_locks_us_out_burns_no_message",
    Situation.DROPS: "test_a_connection_that_drops_after_the_message_leaves_doubt",
    Situation.BABBLES: "test_a_yes_without_an_id_leaves_doubt",
    Situation.HANGS: "test_a_silent_provider_is_left_at_the_deadline",
    Situation.DRIPS: "test_a_dripping_provider_is_left_at_the_deadline",
}


class NotifierContract(ABC):
    """The promises. A subclass says how its notifier is built and how its provider is made to behave."""

    kind: ClassVar[type[Any]]
    """The notifier's class."""
    channel: ClassVar[Channel]
    address: ClassVar[str]
    secrets: ClassVar[tuple[str, ...]] = ()
    logs_of_the_provider: ClassVar[tuple[str, ...]] = ()
    """Loggers of a stand-in that runs in the same process."""
    batches: ClassVar[bool] = False
    """Whether several messages go out in one request."""
    cannot_meet: ClassVar[frozenset[Situation]] = frozenset()
    """Situations that this notifier can never be in."""

    def __init_subclass__(cls) -> None:
        """Take out the promises that do not concern this notifier."""
        super().__init_subclass__()
        gone = {name for situation, name in _TESTS.items() if situation in cls.cannot_meet}
        if cls.batches:
            gone.add("test_an_outcome_is_told_before_the_next_message_is_known")
        if not hasattr(cls.kind, "read_callback"):
            gone.add("test_a_forged_callback_is_not_believed")
        for name in gone:
            setattr(cls, name, None)

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Return settings that work against the provider as it stands."""

    @abstractmethod
    def stage(self, situation: Situation) -> None:
        """Let the next message meet this."""

    @abstractmethod
    def taken(self) -> Mapping[str, int]:
        """Return how often the provider took each attempt."""

    def make(self) -> Notifier:
        """Return a fresh notifier."""
        notifier: Notifier = self.kind.from_settings(self.settings(), channel=self.channel)
        return notifier

    def message(self, number: int = 0, content: Content | None = None, **values: str) -> Message:
        """Return a message with its own attempt, address and text."""
        shared = content or Content(text="Prøve {{name}}", subject="Prøve {{name}}", html="<p>Prøve {{name}}</p>")
        return Message(
            attempt=f"attempt-{number:04}",
            delivery=f"delivery-{number:04}",
            address=self.address_of(number),
            content=shared,
            values={"name": f"Ada{number}"} | values,
            valid_for=120,
        )

    def address_of(self, number: int) -> str:
        """Return an address for the message of this number; the same for all, unless told otherwise."""
        del number
        return self.address

    def send(self, *messages: Message, seconds: float = PATIENCE, notifier: Notifier | None = None) -> list[Outcome]:
        """Send, and demand exactly one outcome for each message."""
        outcomes = list((notifier or self.make()).send(messages, Deadline(seconds, time.monotonic)))
        told = sorted(outcome.attempt for outcome in outcomes)
        demand(told == sorted(message.attempt for message in messages), "each message has exactly one outcome", told)
        return outcomes

    def test_it_is_what_the_protocol_asks_for(self) -> None:
        notifier = self.make()
        demand(isinstance(notifier, Notifier), "it has every part of the protocol", notifier)
        demand(notifier.channel is self.channel, "it knows its channel", notifier.channel)
        demand(self.channel in notifier.channels, "its channel is one of its own", notifier.channels)
        demand(notifier.max_batch >= 1, "it takes at least one message", notifier.max_batch)

    def test_nothing_to_send_is_no_call(self) -> None:
        demand(self.send() == [], "no messages, no outcomes", None)

    def test_what_the_provider_takes_is_accepted_under_an_id_of_its_own(self) -> None:
        outcomes = self.send(*(self.message(number) for number in range(3)))
        ids = {outcome.provider_id for outcome in outcomes if isinstance(outcome, Accepted)}
        demand(len(ids - {""}) == 3, "three accepted, three ids", outcomes)  # noqa: PLR2004 the three sent above
        demand(list(self.taken().values()) == [1, 1, 1], "each was taken once", self.taken())

    def test_a_refused_address_fails_for_good(self) -> None:
        self.stage(Situation.REFUSES_ADDRESS)
        (outcome,) = self.send(self.message())
        demand(isinstance(outcome, Refused), "it is refused", outcome)

    def test_a_busy_provider_means_certainly_not_sent(self) -> None:
        self.stage(Situation.SENDS_AWAY)
        (outcome,) = self.send(self.message())
        demand(isinstance(outcome, NotSent) and not outcome.setup, "not sent, try again", outcome)
        demand(not any(self.taken().values()), "nothing was taken", self.taken())

    def test_an_unreachable_provider_means_certainly_not_sent(self) -> None:
        self.stage(Situation.UNREACHABLE)
        for outcome in self.send(self.message(1), self.message(2)):
            demand(isinstance(outcome, NotSent), "not sent", outcome)

    def test_a_provider_that_locks_us_out_burns_no_message(self) -> None:
        self.stage(Situation.LOCKS_OUT)
        for outcome in self.send(self.message(1), self.message(2)):
            demand(isinstance(outcome, NotSent) and outcome.setup, "not sent, and our set-up is wrong", outcome)

    def test_a_connection_that_drops_after_the_message_leaves_doubt(self) -> None:
        self.stage(Situation.DROPS)
        (outcome,) = self.send(self.message())
        demand(isinstance(outcome, Unknown), "nobody knows", outcome)

    def test_a_yes_without_an_id_leaves_doubt(self) -> None:
        self.stage(Situation.BABBLES)
        (outcome,) = self.send(self.message())
        demand(isinstance(outcome, Unknown), "nobody knows", outcome)

    def test_a_silent_provider_is_left_at_the_deadline(self) -> None:
        self._cut_at_the_deadline(Situation.HANGS)

    def test_a_dripping_provider_is_left_at_the_deadline(self) -> None:
        self._cut_at_the_deadline(Situation.DRIPS)

    def test_a_deadline_already_passed_means_nothing_is_tried(self) -> None:
        outcomes = self.send(self.message(1), self.message(2), seconds=0)
        demand(all(isinstance(outcome, NotSent) for outcome in outcomes), "not sent", outcomes)
        demand(not any(self.taken().values()), "nothing was taken", self.taken())

    def test_an_outcome_is_told_before_the_next_message_is_known(self) -> None:
        notifier = self.make()
        self.send(self.message(0), notifier=notifier)
        started = time.monotonic()
        outcomes = notifier.send([self.message(1), self.message(2)], Deadline(PATIENCE, time.monotonic))
        first = next(outcomes)
        demand(isinstance(first, Accepted) and first.attempt == self.message(1).attempt, "the first is told", first)
        demand(time.monotonic() - started < PATIENCE / 2, "at once", time.monotonic() - started)
        rest = list(outcomes)
        demand([outcome.attempt for outcome in rest] == [self.message(2).attempt], "then the second", rest)

    def test_a_missing_value_fails_alone(self) -> None:
        lacking = Content(text="Kære {{nobody}}", subject="Prøve", html="<p>{{nobody}}</p>")
        outcomes = self.send(self.message(1), self.message(2, lacking), self.message(3))
        found = {outcome.attempt: type(outcome) for outcome in outcomes}
        expected = {"attempt-0001": Accepted, "attempt-0002": Refused, "attempt-0003": Accepted}
        demand(found == expected, "one fails, two go", outcomes)

    def test_strange_texts_have_an_outcome_each_and_never_raise(self) -> None:
        messages = [
            self.message(number, Content(text=f"{text} {{{{name}}}}", subject=text, html=text), name=text)
            for number, text in enumerate(STRANGE_TEXTS)
        ]
        outcomes = self.send(*messages)
        demand(not any(isinstance(outcome, Unknown) for outcome in outcomes), "no doubt about any", outcomes)

    def test_several_threads_share_it(self) -> None:
        notifier = self.make()
        outcomes: list[Outcome] = []

        def work(start: int) -> None:
            messages = [self.message(number) for number in range(start, start + 5)]
            outcomes.extend(self.send(*messages, notifier=notifier))

        threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 20, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        demand(all(isinstance(outcome, Accepted) for outcome in outcomes), "all accepted", outcomes)
        demand(sorted(self.taken().values()) == [1] * 20, "each taken once", self.taken())

    def test_neither_log_nor_reason_holds_a_person_or_a_secret(self) -> None:
        with everything_logged(self.logs_of_the_provider) as lines:
            for situation in (None, *SHORT_SITUATIONS):
                if situation in self.cannot_meet:
                    continue
                if situation is not None:
                    self.stage(situation)
                outcomes = self.send(self.message(name="Clara Hemmelig"))
                lines += [str(getattr(outcome, "reason", "")) for outcome in outcomes]
        told = "\n".join(lines)
        for private in (self.address, "Clara", "Hemmelig", *self.secrets):
            demand(private not in told, "it stays out of logs and reasons", private)

    def test_its_repr_holds_no_secret(self) -> None:
        shown = repr(self.make())
        for secret in self.secrets:
            demand(secret not in shown, "no secret is shown", shown)

    def test_every_mistake_in_the_settings_is_named_at_once(self) -> None:
        mistakes = self._mistakes(
            dict.fromkeys(("no_such_setting", "nor_this"), self.secrets[0] if self.secrets else "x")
        )
        for key in ("no_such_setting", "nor_this"):
            demand(any(f".{key}:" in mistake for mistake in mistakes), "each is named", mistakes)
        name = self.kind.name
        demand(all(mistake.startswith(f"notifiers.{name}.") for mistake in mistakes), "with its section", mistakes)
        for secret in self.secrets:
            demand(secret not in " ".join(mistakes), "values are not repeated", mistakes)

    def test_a_channel_it_cannot_carry_is_refused(self) -> None:
        for channel in set(Channel) - self.kind.channels:
            try:
                self.kind.from_settings(self.settings(), channel=channel)
            except NotifierSettingsError:
                continue
            demand(condition=False, promise="a foreign channel is refused", seen=channel)

    def test_a_forged_callback_is_not_believed(self) -> None:
        notifier = self.make()
        if not isinstance(notifier, ReadsCallbacks):
            raise TypeError("it says that it reads callbacks, and cannot be told where they come")
        names = ("X-Twilio-Signature", "X-Twilio-Email-Event-Webhook-Signature", "Authorization")
        for signature in (None, "", "AAAA", "æ", "MEUCIQ=="):
            headers = {} if signature is None else dict.fromkeys(names, signature)
            for kind in ("status", "inbound"):
                for body in (
                    b"",
                    b"MessageSid=SM1&MessageStatus=delivered",
                    b'[{"event":"delivered"}]\r\n',
                    b"\xff\x00",
                ):
                    request = CallbackRequest(kind, f"https://example.dk/webhooks/x/{kind}?a=1", headers, body)
                    try:
                        events: Sequence[Any] = notifier.read_callback(request)
                    except ForgedCallbackError:
                        continue
                    demand(condition=False, promise="a forged callback is refused", seen=events)

    def _cut_at_the_deadline(self, situation: Situation) -> None:
        self.stage(situation)
        started = time.monotonic()
        outcomes = self.send(self.message(1), self.message(2), seconds=SHORT)
        took = time.monotonic() - started
        demand(took < SHORT + GRACE, "the deadline is kept", took)
        first = next(outcome for outcome in outcomes if outcome.attempt == "attempt-0001")
        demand(isinstance(first, Unknown), "the message under way is in doubt", outcomes)

    def _mistakes(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        try:
            self.kind.from_settings(settings, channel=self.channel)
        except NotifierSettingsError as error:
            return error.mistakes
        return ()
