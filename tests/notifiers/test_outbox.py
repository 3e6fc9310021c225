import errno
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, ClassVar

import pytest

from notifiers.outbox import OutboxNotifier
from notifiers.protocol import (
    Accepted,
    Channel,
    Content,
    Deadline,
    LooksUp,
    Message,
    NotifierSettingsError,
    NotSent,
    ReportedState,
    Unknown,
)
from notifiers.testing import NotifierContract, Situation

NOW = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)


def soon() -> Deadline:
    return Deadline(5, time.monotonic)


def message(attempt: str = "a1", **more: Any) -> Message:
    content = Content(text="Kære {{name}}", subject="Brud hos {{name}}", html="<p>Kære {{name}}</p>")
    return Message(attempt, "d1", "ada@example.dk", content, {"name": "Ada <&>"}, **more)


class TestOutboxContract(NotifierContract):
    kind: ClassVar[type] = OutboxNotifier
    cannot_meet = frozenset(Situation) - {Situation.UNREACHABLE}
    channel = Channel.SMS
    address = "+4534412345"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "outbox"

    def settings(self) -> Mapping[str, Any]:
        return {"dir": str(self.folder)}

    def stage(self, situation: Situation) -> None:
        assert situation is Situation.UNREACHABLE
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.write_text("a file where the folder should be")

    def make(self) -> OutboxNotifier:
        return OutboxNotifier(self.folder, self.channel)

    def taken(self) -> Mapping[str, int]:
        return Counter(path.stem for path in self.folder.glob("*.json"))


class TestOutboxContractForEmail(TestOutboxContract):
    channel = Channel.EMAIL
    address = "ada@example.dk"

    def taken(self) -> Mapping[str, int]:
        return Counter(path.stem for path in self.folder.glob("*.eml"))


def test_an_email_becomes_a_file_that_a_mail_program_opens(tmp_path: Path) -> None:
    (outcome,) = OutboxNotifier(tmp_path, Channel.EMAIL).send([message()], soon())
    assert outcome == Accepted("a1", "a1.eml")
    mail = message_from_bytes((tmp_path / "a1.eml").read_bytes(), policy=policy.default)
    assert mail["To"] == "ada@example.dk"
    assert mail["Subject"] == "Brud hos Ada <&>"
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content() == "Kære Ada <&>\r\n"
    assert rich.get_content() == "<p>Kære Ada &lt;&amp;&gt;</p>\r\n"


def test_an_sms_becomes_a_json_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    list(OutboxNotifier(tmp_path, Channel.SMS).send([message(valid_for=90)], soon()))
    file = tmp_path / "a1.json"
    shown = json.loads(file.read_text("utf-8"))
    assert shown["text"] == "Kære Ada <&>"
    assert (shown["to"], shown["channel"], shown["valid_for"]) == ("ada@example.dk", "sms", 90)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_header_cannot_be_smuggled_in(tmp_path: Path) -> None:
    content = Content(text="x", subject="Hej {{name}}", sender_name="N\r\nBcc: clara@example.org")
    sent = Message("a1", "d1", "ada@example.dk", content, {"name": "x\r\nBcc: clara@example.org"})
    list(OutboxNotifier(tmp_path, Channel.EMAIL).send([sent], soon()))
    mail = message_from_bytes((tmp_path / "a1.eml").read_bytes(), policy=policy.default)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Hej x Bcc: clara@example.org"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_full_or_broken_disk_leaves_no_file_and_means_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    (outcome,) = OutboxNotifier(tmp_path, Channel.SMS).send([message()], soon())
    assert isinstance(outcome, NotSent)
    assert os.strerror(code) in outcome.reason
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_that_may_not_survive_a_power_cut_is_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    sync = os.fsync

    def fail_on_the_folder(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.EIO, "")
        sync(handle)

    monkeypatch.setattr(os, "fsync", fail_on_the_folder)
    (outcome,) = OutboxNotifier(tmp_path, Channel.SMS).send([message()], soon())
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize("attempt", ["../a1", "/etc/passwd", "a/b", ".hidden", "", "a\x00b", "x" * 200])
def test_an_attempt_never_leads_out_of_the_folder(tmp_path: Path, attempt: str) -> None:
    folder = tmp_path / "inner"
    (outcome,) = OutboxNotifier(folder, Channel.SMS).send([message(attempt)], soon())
    assert not isinstance(outcome, Accepted)
    assert not folder.exists()


def test_after_a_crash_the_folder_says_what_was_sent(tmp_path: Path) -> None:
    notifier = OutboxNotifier(tmp_path, Channel.SMS)
    assert isinstance(notifier, LooksUp)
    list(notifier.send([message("a1")], soon()))
    reports = list(notifier.search([message("a1"), message("a2")], NOW, soon()))
    assert [(report.attempt, report.state) for report in reports] == [("a1", ReportedState.DELIVERED)]
    assert list(notifier.look_up(["a1.json", "../a1.json", "a2.json"], soon())) == reports


def test_a_file_in_the_place_of_the_folder_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(NotifierSettingsError, match=r"notifiers\.outbox\.dir: is not a folder"):
        OutboxNotifier.from_settings({"dir": str(file)}, channel=Channel.SMS)
