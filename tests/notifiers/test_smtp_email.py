import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from notifiers.protocol import (
    Accepted,
    Channel,
    Content,
    Deadline,
    Message,
    NotifierSettingsError,
    NotSent,
    Outcome,
    RefusalKind,
    Refused,
    Unknown,
)
from notifiers.smtp_email import SmtpEmailNotifier
from notifiers.testing import NotifierContract, Situation
from tests.notifiers.certificates import Certificates, make_certificates
from tests.notifiers.mail_server import BABBLE, DRIP, DROP, HANG, MailRoom, mail_server

FROM = "incidents@example.dk"
# Plain sign-in on loopback is what the tests want, and what the server warns of.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


@pytest.fixture
def room() -> MailRoom:
    return MailRoom()


@pytest.fixture
def port(room: MailRoom) -> Iterator[int]:
    with mail_server(room) as port:
        yield port


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    return certificates


def make(port: int, **more: Any) -> SmtpEmailNotifier:
    settings = {"host": "127.0.0.1", "port": port, "security": "none", "from_email": FROM}
    return SmtpEmailNotifier.from_settings(settings | more, channel=Channel.EMAIL)


def message(number: int = 1, address: str = "ada@example.dk", **more: Any) -> Message:
    content = Content(text="Kære {{name}}\n.\nslut", subject="Brud: {{name}}", html="<p>Kære {{name}}</p>", **more)
    return Message(f"a{number}", f"d{number}", address, content, {"name": "Ada <&> Å"})


def send(notifier: SmtpEmailNotifier, *messages: Message, seconds: float = 5) -> list[Outcome]:
    return list(notifier.send(messages, Deadline(seconds, time.monotonic)))


class TestSmtpContract(NotifierContract):
    kind: ClassVar[type] = SmtpEmailNotifier
    channel = Channel.EMAIL
    address = "ada@example.dk"
    secrets = ("correct", "a-wrong-password")
    logs_of_the_provider = ("mail.log",)

    @pytest.fixture(autouse=True)
    def _server(self, room: MailRoom) -> Iterator[None]:
        self.room = room
        self.password = "correct"
        options = {"authenticator": room.authenticate, "auth_require_tls": False, "auth_required": True}
        with mail_server(room, **options) as self.port:
            yield

    def settings(self) -> Mapping[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "security": "none",
            "username": "tracker",
            "password": self.password,
            "from_email": FROM,
        }

    def stage(self, situation: Situation) -> None:
        steps = {Situation.DROPS: DROP, Situation.HANGS: HANG, Situation.DRIPS: DRIP, Situation.BABBLES: BABBLE}
        if situation is Situation.UNREACHABLE:
            self.port = 9
        elif situation is Situation.LOCKS_OUT:
            self.password = "a-wrong-password"
        elif situation is Situation.REFUSES_ADDRESS:
            self.room.at_rcpt.append("550 5.1.1 <ada@example.dk>: no such user")
        elif situation is Situation.SENDS_AWAY:
            self.room.at_rcpt.append("451 4.7.1 <ada@example.dk>: greylisted")
        else:
            self.room.at_data.append(steps[situation])

    def taken(self) -> Mapping[str, int]:
        return self.room.taken


def test_a_mail_arrives_whole_and_names_our_attempt(room: MailRoom, port: int) -> None:
    (outcome,) = send(make(port), message(sender_name="Nordlys ApS", reply_to="dpo@example.dk"))
    assert outcome == Accepted("a1", "a1@example.dk")
    (mail,) = room.mails
    assert mail["From"] == "Nordlys ApS <incidents@example.dk>"
    assert mail["To"] == "ada@example.dk"
    assert mail["Reply-To"] == "dpo@example.dk"
    assert mail["Subject"] == "Brud: Ada <&> Å"
    assert mail["Message-ID"] == "<a1@example.dk>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"]
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().splitlines() == ["Kære Ada <&> Å", ".", "slut"]
    assert rich.get_content().strip() == "<p>Kære Ada &lt;&amp;&gt; Å</p>"


def test_a_batch_shares_one_connection(room: MailRoom, port: int) -> None:
    outcomes = send(make(port), *(message(number) for number in range(10)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert room.connections == 1


def test_one_bad_address_of_five_fails_alone(room: MailRoom, port: int) -> None:
    room.bad_addresses["ben@example.dk"] = "550 5.1.1 unknown"
    people = ["ada@example.dk", "ben@example.dk", "clara@example.dk", "dan@example.dk", "ada@example.org"]
    outcomes = send(make(port), *(message(number, address) for number, address in enumerate(people)))
    assert [type(outcome) for outcome in outcomes] == [Accepted, Refused, Accepted, Accepted, Accepted]
    assert room.recipients == [person for person in people if person != "ben@example.dk"]


@pytest.mark.parametrize("reply", ["421 4.3.2 shutting down", "451 4.7.1 greylisted", "450 busy", "452 full"])
@pytest.mark.parametrize("step", ["at_mail", "at_rcpt", "at_data"])
def test_4xx_is_not_sent_and_the_next_one_goes(room: MailRoom, port: int, step: str, reply: str) -> None:
    getattr(room, step).append(reply)
    first, second = send(make(port), message(1), message(2))
    assert isinstance(first, NotSent)
    assert (first.code, first.setup) == (reply[:3], False)
    assert isinstance(second, Accepted)
    assert room.taken == {"a2": 1}


@pytest.mark.parametrize(
    ("step", "reply", "kind"),
    [
        ("at_rcpt", "550 5.1.1 unknown", RefusalKind.ADDRESS),
        ("at_rcpt", "552 5.2.2 mailbox full", RefusalKind.ADDRESS),
        ("at_rcpt", "553 5.1.3 bad address", RefusalKind.ADDRESS),
        ("at_mail", "552 5.3.4 too large", RefusalKind.CONTENT),
        ("at_data", "552 5.3.4 too large", RefusalKind.CONTENT),
        ("at_data", "554 5.7.1 spam", RefusalKind.CONTENT),
    ],
)
def test_5xx_is_refused_for_good(room: MailRoom, port: int, step: str, reply: str, kind: RefusalKind) -> None:
    getattr(room, step).append(reply)
    first, second = send(make(port), message(1), message(2))
    assert isinstance(first, Refused)
    assert (first.kind, first.code) == (kind, reply[:3])
    assert isinstance(second, Accepted)


@pytest.mark.parametrize(
    ("step", "reply"), [("at_mail", "553 sender"), ("at_mail", "530 sign in"), ("at_rcpt", "530 sign in")]
)
def test_a_refused_sender_is_our_set_up(room: MailRoom, port: int, step: str, reply: str) -> None:
    getattr(room, step).append(reply)
    (outcome,) = send(make(port), message())
    assert isinstance(outcome, NotSent)
    assert outcome.setup


@pytest.mark.parametrize(("step", "kind"), [("at_mail", NotSent), ("at_rcpt", NotSent), ("at_data", Unknown)])
def test_a_drop_is_in_doubt_only_after_the_message(room: MailRoom, port: int, step: str, kind: type[Outcome]) -> None:
    getattr(room, step).append(DROP)
    first, second = send(make(port), message(1), message(2))
    assert isinstance(first, kind)
    assert isinstance(second, Accepted)
    assert room.connections == 2


def test_silence_before_the_message_is_certainly_not_sent(room: MailRoom, port: int) -> None:
    room.at_rcpt.append(HANG)
    started = time.monotonic()
    (outcome,) = send(make(port), message(), seconds=0.5)
    assert isinstance(outcome, NotSent)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_secured_connection_carries_password_and_mail(room: MailRoom, trusted: Certificates, security: str) -> None:
    by_tls = {"ssl_context": trusted.valid, "auth_require_tls": False}
    options = by_tls if security == "tls" else {"tls_context": trusted.valid, "require_starttls": True}
    with mail_server(room, authenticator=room.authenticate, auth_required=True, **options) as port:
        notifier = make(port, security=security, username="tracker", password="correct")
        (outcome,) = send(notifier, message())
    assert isinstance(outcome, Accepted)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_expired_certificate_sends_neither_password_nor_mail(
    room: MailRoom, trusted: Certificates, security: str
) -> None:
    by_tls = {"ssl_context": trusted.expired, "auth_require_tls": False}
    options = by_tls if security == "tls" else {"tls_context": trusted.expired}
    with mail_server(room, authenticator=room.authenticate, **options) as port:
        (outcome,) = send(make(port, security=security, username="tracker", password="correct"), message())
    assert isinstance(outcome, NotSent)
    assert outcome.setup
    assert "certificate" in outcome.reason
    assert not room.mails


def test_a_certificate_of_an_unknown_authority_is_not_trusted(room: MailRoom, certificates: Certificates) -> None:
    with mail_server(room, tls_context=certificates.valid) as port:
        (outcome,) = send(make(port, security="starttls"), message())
    assert isinstance(outcome, NotSent)
    assert outcome.setup


def test_a_server_without_starttls_gets_nothing(room: MailRoom, port: int) -> None:
    (outcome,) = send(make(port, security="starttls"), message())
    assert isinstance(outcome, NotSent)
    assert outcome.setup
    assert not room.mails


@contextmanager
def greeting(line: bytes) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(line)
                connection.recv(1000)

        thread = threading.Thread(target=greet)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize(
    ("line", "setup"), [(b"421 busy\r\n", False), (b"554 no\r\n", True), (b"", False), (b"HTTP/1.1 400\r\n", False)]
)
def test_a_server_that_turns_us_away_at_the_door_got_nothing(line: bytes, *, setup: bool) -> None:
    with greeting(line) as port:
        outcomes = send(make(port), message(1), message(2), seconds=1)
    assert all(isinstance(outcome, NotSent) and outcome.setup is setup for outcome in outcomes)


@pytest.mark.parametrize(
    "address",
    ["", "ada", "ada@", "@example.dk", "a b@example.dk", "ada@example.dk\r\nRCPT TO:<x@example.dk>", "a>b@c.dk"],
)
def test_an_address_that_is_none_is_refused_before_the_server_sees_it(
    room: MailRoom, port: int, address: str
) -> None:
    bad, good = send(make(port), message(1, address), message(2))
    assert isinstance(bad, Refused)
    assert bad.kind is RefusalKind.ADDRESS
    assert isinstance(good, Accepted)
    assert room.recipients == ["ada@example.dk"]


def test_a_domain_with_danish_letters_is_written_in_ascii(room: MailRoom, port: int) -> None:
    (outcome,) = send(make(port), message(1, "ada@blåbær.example.dk"))
    assert isinstance(outcome, Accepted)
    assert room.recipients == ["ada@xn--blbr-roah.example.dk"]


def test_a_name_with_danish_letters_goes_only_where_the_server_can_write_it(room: MailRoom) -> None:
    with mail_server(room, enable_SMTPUTF8=False) as old:
        (refused,) = send(make(old), message(1, "søren@example.dk"))
    assert isinstance(refused, Refused)
    with mail_server(room, enable_SMTPUTF8=True) as modern:
        (outcome,) = send(make(modern), message(1, "søren@example.dk"))
    assert isinstance(outcome, Accepted)
    assert room.recipients == ["søren@example.dk"]


def test_all_mistakes_of_the_settings_are_told(tmp_path: Path) -> None:
    settings = {
        "host": "mail.example.dk",
        "security": "none",
        "port": 0,
        "username": "x",
        "from_email": str(tmp_path),
    }
    with pytest.raises(NotifierSettingsError) as caught:
        SmtpEmailNotifier.from_settings(settings, channel=Channel.SMS)
    keys = {mistake.split(":")[0].rpartition(".")[2] for mistake in caught.value.mistakes}
    assert keys == {"channel", "port", "from_email", "security", "password"}
