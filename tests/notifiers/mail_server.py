"""A real mail server on loopback (aiosmtpd) that behaves as it is told."""

import asyncio
import warnings
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HANG, DRIP, DROP, BABBLE = "hang", "drip", "drop", "babble"


@dataclass
class MailRoom:
    """What came in, and what is to happen next at each step: a reply, or one of the words above."""

    at_mail: deque[str] = field(default_factory=deque)
    at_rcpt: deque[str] = field(default_factory=deque)
    at_data: deque[str] = field(default_factory=deque)
    bad_addresses: dict[str, str] = field(default_factory=dict)
    password: str = "correct"
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0

    @property
    def taken(self) -> Counter[str]:
        return Counter(str(mail["Message-ID"]).strip("<>").rpartition("@")[0] for mail in self.mails)

    async def handle_EHLO(  # noqa: N802 the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        del server, envelope
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del session
        if self.at_mail:
            return await _play(self.at_mail.popleft(), server)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del session, options
        if address in self.bad_addresses:
            return self.bad_addresses[address]
        if self.at_rcpt:
            return await _play(self.at_rcpt.popleft(), server)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del session
        step = self.at_data.popleft() if self.at_data else "250 OK"
        if step[0] not in "45":
            content = envelope.content if isinstance(envelope.content, bytes) else b""
            mail = message_from_bytes(content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.recipients += envelope.rcpt_tos
        return await _play(step, server)

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, kind: str, data: Any) -> AuthResult:
        del server, session, envelope, kind
        good = isinstance(data, LoginPassword) and data.password == self.password.encode()
        return AuthResult(success=good, handled=False)


async def _play(step: str, server: SMTP) -> str:
    assert isinstance(server.transport, asyncio.WriteTransport)
    if step == HANG:
        await asyncio.Event().wait()
    if step == DRIP:
        for letter in b"250 OK, taken at last, after all this time\r\n":
            server.transport.write(bytes([letter]))
            await asyncio.sleep(0.1)
    if step == DROP:
        server.transport.abort()
    return "xyz nonsense" if step == BABBLE else step


class _Remembered(SMTP):
    opened: list[asyncio.BaseTransport]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.opened.append(transport)
        super().connection_made(transport)


class _AnyPort(Controller):
    def factory(self) -> SMTP:
        protocol = _Remembered(self.handler, **self.SMTP_kwargs)
        protocol.opened = self.opened
        return protocol

    @cached_property
    def opened(self) -> list[asyncio.BaseTransport]:
        return []

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mail_server(room: MailRoom, **options: Any) -> Iterator[int]:
    """Run the server and give its port."""
    server = _AnyPort(room, hostname="127.0.0.1", port=0, **options)
    server.start()
    try:
        yield server.port
    finally:
        asyncio.run_coroutine_threadsafe(_hang_up(server.opened), server.loop).result(5)
        server.stop()


async def _hang_up(opened: list[asyncio.BaseTransport]) -> None:
    """Close what is open, and let the loop finish with it before it is stopped."""
    for _ in range(20):
        for transport in opened:
            assert isinstance(transport, asyncio.WriteTransport)
            transport.abort()
        await asyncio.sleep(0)
