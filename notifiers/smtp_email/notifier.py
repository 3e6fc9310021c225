"""The postman for e-mail by a mail server of one's own: one connection a batch, one outcome a recipient."""

import re
from collections.abc import Iterator, Mapping, Sequence
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import formatdate
from typing import Any, ClassVar, Self

from notifiers.protocol import Channel, Deadline, Message, Outcome, RefusalKind, Refused
from notifiers.smtp_email.session import Server, Session
from notifiers.support.running import Call, CallSlots, send_bounded
from notifiers.support.settings import SettingsReader, is_loopback
from notifiers.support.texts import one_line, without_controls

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_CALLS_AT_ONCE = 8
_UNWRITABLE = re.compile(r"[\s<>\x00-\x1f\x7f]")
_SPECIAL = re.compile(r"[()\[\]:;,@\\\"]")
_ATTEMPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class SmtpEmailNotifier:
    """Sends each message in a transaction of its own, so that one bad address harms nobody else."""

    name: ClassVar[str] = "smtp_email"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.EMAIL})
    max_batch = 50

    def __init__(self, server: Server, from_email: str) -> None:
        """Take what `from_settings` has checked."""
        self.channel = Channel.EMAIL
        self._server = server
        self._from_email = from_email
        self._slots = CallSlots(_CALLS_AT_ONCE)

    def __repr__(self) -> str:
        """Name server and sender, never the password."""
        return f"<SmtpEmailNotifier {self._from_email} by {self._server!r}>"

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, channel: Channel) -> Self:
        """Read `[notifiers.smtp_email]`; `security` is starttls, tls, or none (to this machine alone)."""
        reader = SettingsReader(cls.name, settings)
        reader.channel(channel, cls.channels)
        security = reader.choice("security", tuple(_PORTS), default="starttls")
        server = Server(
            host=reader.text("host", required=True),
            port=reader.number("port", default=_PORTS[security], least=1, most=65535),
            security=security,
            username=reader.text("username"),
            password=reader.text("password"),
        )
        from_email = reader.text("from_email", required=True)
        if security == "none" and server.host and not is_loopback(server.host):
            reader.mistake("security", "may be none only if the server is on this machine")
        if bool(server.username) != bool(server.password):
            reader.mistake("password" if server.username else "username", "is missing")
        if from_email:
            try:
                Address(addr_spec=from_email)
                from_email.encode("ascii")
            except (ValueError, IndexError, MessageError):
                reader.mistake("from_email", "must be a plain e-mail address in ASCII")
        reader.finish()
        return cls(server, from_email)

    def send(self, messages: Sequence[Message], deadline: Deadline) -> Iterator[Outcome]:
        """Yield an outcome for each message as the server answers."""
        return send_bounded(messages, deadline, self._work, self._slots)

    def _work(self, call: Call) -> None:
        session: Session | None = None
        try:
            for place, message in enumerate(call.messages):
                if session is None:
                    call.demand_time()
                    session = Session(self._server, call)
                    if (trouble := session.open()) is not None:
                        for left in call.messages[place:]:
                            call.tell(trouble.outcome(left.attempt))
                        return
                call.tell(self._deliver(session, message))
                if not session.usable:
                    session.close()
                    session = None
        finally:
            if session is not None:
                session.close()

    def _deliver(self, session: Session, message: Message) -> Outcome:
        try:
            to = _envelope_address(message.address)
        except (ValueError, IndexError, MessageError):
            return Refused(message.attempt, RefusalKind.ADDRESS, "not a valid address")
        if not to.isascii() and not session.takes_utf8:
            return Refused(message.attempt, RefusalKind.ADDRESS, "the mail server cannot write to such an address")
        try:
            data = self._written(message, to)
        except KeyError:
            return Refused(message.attempt, RefusalKind.CONTENT, "a placeholder has no value")
        except (ValueError, IndexError, MessageError):
            return Refused(message.attempt, RefusalKind.CONTENT, "the text cannot be written down")
        return session.deliver(message, self._from_email, to, data)

    def _written(self, message: Message, to: str) -> bytes:
        mail = EmailMessage(policy=(SMTP if to.isascii() else SMTPUTF8).clone(cte_type="7bit"))
        mail["From"] = Address(one_line(message.content.sender_name or ""), addr_spec=self._from_email)
        name, _, domain = to.rpartition("@")
        mail["To"] = Address(username=name, domain=domain)
        mail["Subject"] = one_line(message.subject())
        if message.content.reply_to:
            mail["Reply-To"] = Address(addr_spec=one_line(message.content.reply_to))
        mail["Message-ID"] = f"<{self._message_id(message)}>"
        mail["Date"] = formatdate()
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(without_controls(message.text()))
        rich = message.html()
        if rich is not None:
            mail.add_alternative(without_controls(rich), subtype="html")
        # Setting the content takes away every header about it, so this one comes last.
        mail["Content-Language"] = one_line(message.content.language)
        return mail.as_bytes()

    def _message_id(self, message: Message) -> str:
        if not _ATTEMPT.fullmatch(message.attempt):
            raise ValueError
        return f"{message.attempt}@{self._from_email.rpartition('@')[2]}"


def _envelope_address(address: str) -> str:
    """Return an address as it stands in the envelope: checked, the domain in ASCII. Raises ValueError and its kin."""
    name, _, domain = address.rpartition("@")
    if _UNWRITABLE.search(address):
        raise ValueError
    domain = domain.encode("idna").decode("ascii")
    if name.isascii():
        return Address(addr_spec=f"{name}@{domain}").addr_spec
    if not domain or _SPECIAL.search(name):
        raise ValueError
    return f"{name}@{domain}"
