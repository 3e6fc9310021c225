"""The local outbox: the default of every channel. A message becomes a file that a person can open; nothing leaves.

E-mails are `<attempt>.eml`, everything else `<attempt>.json`. Files carry mode 0600.
"""

import contextlib
import json
import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, ClassVar, Self

from notifiers.protocol import (
    Accepted,
    Channel,
    Deadline,
    Message,
    NotSent,
    Outcome,
    RefusalKind,
    Refused,
    Reply,
    ReportedState,
    StatusReport,
    Unknown,
)
from notifiers.support.settings import SettingsReader
from notifiers.support.texts import one_line, without_controls

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class UnsyncedError(OSError):
    """The file is in place, but the disk may not know it yet."""


class OutboxNotifier:
    """Puts messages into a folder. What lies there counts as delivered, and a crash leaves no doubt about it."""

    name: ClassVar[str] = "outbox"
    channels: ClassVar[frozenset[Channel]] = frozenset(Channel)
    max_batch = 100

    def __init__(self, folder: Path, channel: Channel) -> None:
        """Take the folder, which is made when the first message comes."""
        self.channel = channel
        self._folder = folder

    def __repr__(self) -> str:
        """Name the channel and the folder."""
        return f"<OutboxNotifier {self.channel} {self._folder}>"

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, channel: Channel) -> Self:
        """Read `[notifiers.outbox]`: `dir`."""
        reader = SettingsReader(cls.name, {name: str(value) for name, value in settings.items()})
        reader.channel(channel, cls.channels)
        folder = Path(reader.text("dir", required=True))
        if folder.exists() and not folder.is_dir():
            reader.mistake("dir", "is not a folder")
        reader.finish()
        return cls(folder, channel)

    def send(self, messages: Sequence[Message], deadline: Deadline) -> Iterator[Outcome]:
        """Write each message to the disk, synced, under the name of its attempt."""
        for message in messages:
            if deadline.passed():
                yield NotSent(message.attempt, "time ran out before it was tried")
            else:
                yield self._put(message)

    def look_up(self, provider_ids: Sequence[str], deadline: Deadline) -> Iterator[StatusReport]:
        """Yield those that lie in the folder: they are delivered."""
        for name in provider_ids:
            if not deadline.passed() and _FILE_NAME.fullmatch(name) and (self._folder / name).is_file():
                yield StatusReport(ReportedState.DELIVERED, f"{name}:delivered", Path(name).stem, name)

    def search(
        self, messages: Sequence[Message], since: datetime, deadline: Deadline, taken: Collection[str] = ()
    ) -> Iterator[StatusReport]:
        """Yield those of `messages` whose file was put in place; a file carries its attempt as its name."""
        del since
        names = (self._file_name(message) for message in messages)
        return self.look_up([name for name in names if name not in taken], deadline)

    def replies(self, since: datetime, deadline: Deadline) -> Iterator[Reply]:
        """Yield nothing: nobody can answer a file, and the reply box belongs to the page that shows it."""
        del since, deadline
        return iter(())

    def _put(self, message: Message) -> Outcome:
        name = self._file_name(message)
        if not _FILE_NAME.fullmatch(name):
            return Refused(message.attempt, RefusalKind.CONTENT, "the attempt cannot be the name of a file")
        try:
            data = _eml(message) if self.channel is Channel.EMAIL else _json(message, self.channel)
        except KeyError:
            return Refused(message.attempt, RefusalKind.CONTENT, "a placeholder has no value")
        except (ValueError, IndexError, MessageError):
            return Refused(message.attempt, RefusalKind.CONTENT, "the text or address cannot be written down")
        try:
            self._write(name, data)
        except UnsyncedError:
            return Unknown(message.attempt, "the outbox could not be synced")
        except OSError as error:
            return NotSent(message.attempt, f"the outbox cannot be written ({os.strerror(error.errno or 0)})")
        return Accepted(message.attempt, name)

    def _file_name(self, message: Message) -> str:
        return f"{message.attempt}.{'eml' if self.channel is Channel.EMAIL else 'json'}"

    def _write(self, name: str, data: bytes) -> None:
        """Put a whole file in place, or none: write beside it, sync, rename, sync the folder."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self._folder / f".{name}.{secrets.token_hex(4)}"
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        except OSError as error:
            raise UnsyncedError(*error.args) from error
        finally:
            os.close(folder)


def _json(message: Message, channel: Channel) -> bytes:
    shown = {
        "attempt": message.attempt,
        "delivery": message.delivery,
        "channel": str(channel),
        "to": message.address,
        "sender": message.content.sender_name,
        "language": message.content.language,
        "text": message.text(),
        "valid_for": message.valid_for,
    }
    return json.dumps(shown, ensure_ascii=False, indent=1).encode() + b"\n"


def _eml(message: Message) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(one_line(message.content.sender_name or ""), "outbox", "localhost")
    mail["To"] = one_line(message.address)
    mail["Subject"] = one_line(message.subject())
    if message.content.reply_to:
        mail["Reply-To"] = one_line(message.content.reply_to)
    mail["Message-ID"] = f"<{message.attempt}@localhost>"
    mail.set_content(without_controls(message.text()))
    rich = message.html()
    if rich is not None:
        mail.add_alternative(without_controls(rich), subtype="html")
    # Setting the content takes away every header about it, so this one comes last.
    mail["Content-Language"] = one_line(message.content.language)
    return mail.as_bytes()
