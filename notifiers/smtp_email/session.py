"""One connection to a mail server, and what each of its answers means for a message (RFC 5321, RFC 3463)."""

import contextlib
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass

from notifiers.protocol import Accepted, Message, NotSent, Outcome, RefusalKind, Refused, Unknown
from notifiers.support.running import Call, TimeIsUpError

_READ_TIMEOUT = 15.0
_DATA_TIMEOUT = 60.0
"""Seconds for the answer to a message: servers scan it for viruses before they take it."""
_SHORTEST = 0.05
_GO_AHEAD = 354
_GOOD, _LATER, _NEVER = range(200, 300), range(400, 500), range(500, 600)
_CLOSING = 421
_LOGIN_NEEDED = frozenset({530, 534, 535, 538})
_TOO_LARGE = 552
_LINE_START_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how to connect."""

    host: str
    port: int
    security: str
    username: str
    password: str

    def __repr__(self) -> str:
        """Name the server, never the password."""
        return f"{self.host}:{self.port} ({self.security})"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing can be sent over a connection; certainly not sent."""

    reason: str
    code: str = ""
    setup: bool = False

    def outcome(self, attempt: str) -> Outcome:
        """Return it as the outcome of a message."""
        return NotSent(attempt, self.reason, self.code, setup=self.setup)


class Session:
    """One connection to the mail server. `usable` turns false when it has to be given up."""

    def __init__(self, server: Server, call: Call) -> None:
        self._server = server
        self._call = call
        self._smtp: smtplib.SMTP | None = None
        self.usable = False

    @property
    def takes_utf8(self) -> bool:
        """Whether addresses may hold letters beyond ASCII (RFC 6531)."""
        return self._smtp is not None and bool(self._smtp.has_extn("smtputf8"))

    def open(self) -> Trouble | None:
        """Connect, secure and sign in; return what stands in the way."""
        try:
            self._connect()
        except smtplib.SMTPNotSupportedError:
            return Trouble("the mail server offers no STARTTLS or no sign-in", setup=True)
        except smtplib.SMTPAuthenticationError as error:
            wrong = error.smtp_code in _NEVER
            return Trouble("the mail server refuses the sign-in", str(error.smtp_code), setup=wrong)
        except smtplib.SMTPResponseException as error:
            wrong = error.smtp_code in _NEVER
            return Trouble("the mail server turns us away", str(error.smtp_code), setup=wrong)
        except ssl.SSLCertVerificationError:
            return Trouble("the certificate of the mail server is not valid", setup=True)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            return Trouble(f"the mail server cannot be reached ({type(error).__name__})")
        self.usable = True
        return None

    def close(self) -> None:
        """Say goodbye if the server still listens."""
        if self._smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException, ValueError, TimeIsUpError):
                if self.usable:
                    self._allow(_READ_TIMEOUT)
                    self._smtp.quit()
            self._smtp.close()
            self._smtp = None

    def deliver(self, message: Message, sender: str, to: str, data: bytes) -> Outcome:
        """Carry one message through MAIL, RCPT and DATA."""
        attempt = message.attempt
        options = [] if to.isascii() else ["SMTPUTF8"]
        try:
            refused = self._envelope(attempt, sender, to, options)
            if refused is not None:
                return refused
            code, _ = self._command("DATA")
        except (OSError, smtplib.SMTPException, ValueError) as error:
            self.usable = False
            return NotSent(attempt, f"the connection broke off before the message ({type(error).__name__})")
        if code != _GO_AHEAD:
            return self._refusal(attempt, code, RefusalKind.CONTENT)
        self.usable = False  # until the answer has come
        self._call.commit(message)
        try:
            code = self._hand_over(data)
        except (OSError, smtplib.SMTPException) as error:
            return Unknown(attempt, f"the connection broke off after the message ({type(error).__name__})")
        return self._answer(message, code, f"{attempt}@{sender.rpartition('@')[2]}")

    def _answer(self, message: Message, code: int, message_id: str) -> Outcome:
        """Return what the answer to a whole message means."""
        if code in _GOOD:
            self.usable = True
            return Accepted(message.attempt, message_id)
        if code not in _LATER and code not in _NEVER:
            return Unknown(message.attempt, "the mail server answered without sense", str(code))
        self._call.release(message)
        return self._refusal(message.attempt, code, RefusalKind.CONTENT)

    def _connect(self) -> None:
        remaining = self._call.deadline.remaining()
        timeout = max(_SHORTEST, min(_READ_TIMEOUT, remaining))
        name = socket.gethostname()
        ours = name if "." in name else "[127.0.0.1]"
        host, port = self._server.host, self._server.port
        if self._server.security == "tls":
            context = ssl.create_default_context()
            self._smtp = smtplib.SMTP_SSL(host, port, ours, timeout=timeout, context=context)
        else:
            self._smtp = smtplib.SMTP(host, port, ours, timeout=timeout)
        self._allow(_READ_TIMEOUT)
        self._smtp.ehlo_or_helo_if_needed()
        if self._server.security == "starttls":
            self._smtp.starttls(context=ssl.create_default_context())
            self._smtp.ehlo()
        if self._server.username:
            self._allow(_READ_TIMEOUT)
            self._smtp.login(self._server.username, self._server.password)

    def _envelope(self, attempt: str, sender: str, to: str, options: list[str]) -> Outcome | None:
        if self._smtp is not None:
            self._smtp.command_encoding = "utf-8" if options else "ascii"
        code, _ = self._command(f"MAIL FROM:<{sender}>{''.join(f' {option}' for option in options)}")
        if code not in _GOOD:
            if code in _NEVER and code != _TOO_LARGE:
                self._reset()
                return NotSent(attempt, "the mail server refuses our sender", str(code), setup=True)
            return self._refusal(attempt, code, RefusalKind.CONTENT)
        code, _ = self._command(f"RCPT TO:<{to}>")
        if code not in _GOOD:
            return self._refusal(attempt, code, RefusalKind.ADDRESS)
        return None

    def _refusal(self, attempt: str, code: int, kind: RefusalKind) -> Outcome:
        """Return what a refusing code means; the server's own words are left out, they repeat addresses."""
        if code == _CLOSING:
            self.usable = False
        else:
            self._reset()
        if code in _LOGIN_NEEDED:
            return NotSent(attempt, "the mail server demands a sign-in", str(code), setup=True)
        if code in _NEVER:
            refused = "address" if kind is RefusalKind.ADDRESS else "message"
            return Refused(attempt, kind, f"the mail server refuses the {refused}", str(code))
        return NotSent(attempt, "the mail server asks us to come again later", str(code))

    def _reset(self) -> None:
        try:
            code, _ = self._command("RSET")
        except (OSError, smtplib.SMTPException):
            code = _CLOSING
        self.usable = code in _GOOD

    def _command(self, line: str) -> tuple[int, bytes]:
        if self._smtp is None:
            raise smtplib.SMTPServerDisconnected
        self._allow(_READ_TIMEOUT)
        return self._smtp.docmd(line)

    def _hand_over(self, data: bytes) -> int:
        if self._smtp is None:
            raise smtplib.SMTPServerDisconnected
        self._allow(_DATA_TIMEOUT)
        end = b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n"
        self._smtp.send(_LINE_START_DOT.sub(b"..", data) + end)
        code, _ = self._smtp.getreply()
        return code

    def _allow(self, longest: float) -> None:
        """Let the next answer take what is left of the deadline, `longest` seconds at most."""
        if self._smtp is not None and self._smtp.sock is not None:
            remaining = self._call.deadline.remaining()
            if remaining <= 0:
                raise TimeIsUpError
            self._smtp.sock.settimeout(max(_SHORTEST, min(longest, remaining)))
