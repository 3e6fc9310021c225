"""What the stand-in has seen and taken. Kept in a file line by line, so that a killed stand-in forgets nothing."""

import json
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Sms:
    """A message of Twilio's, in either direction. Times are RFC 2822, as Twilio writes them."""

    sid: str
    to: str
    sender: str
    body: str
    direction: str
    status: str
    created: str
    epoch: float
    service: str = ""
    callback: str = ""
    validity: str = ""
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """One recipient of a mail/send request, as that person would read it."""

    message_id: str
    attempt: str
    to: str
    subject: str
    text: str
    html: str | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: when (monotonic seconds), for which of our ids, and the parsed fields."""

    at: float
    path: str
    own_ids: tuple[str, ...]
    fields: Mapping[str, Any]


class Ledger:
    """Counts requests and accepted messages by our own id; keeps the messages."""

    def __init__(self, file: Path | None, *, keep_contents: bool = True) -> None:
        self._lock = threading.Lock()
        self._keep = keep_contents
        self.asked: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.accepted_at: dict[str, float] = {}
        self.requests: list[Asked] = []
        self.sms: dict[str, Sms] = {}
        self.by_number: dict[str, list[str]] = defaultdict(list)
        self.mails: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = []
        self._handle: int | None = None
        if file is not None:
            self._replay(file)
            self._handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None

    def note_request(self, path: str, own_ids: tuple[str, ...], fields: Mapping[str, Any]) -> None:
        """Remember that a whole request was read."""
        with self._lock:
            self.asked.update(own_ids)
            if self._keep:
                self.requests.append(Asked(time.monotonic(), path, own_ids, fields))

    def take_sms(self, own_id: str, sms: Sms) -> None:
        """Accept a text message (or note an inbound one, with an empty own id)."""
        self._write({"own": own_id, "at": time.monotonic(), "sms": asdict(sms)} if self._handle else {}, own_id, sms)

    def take_mail(self, message_id: str, payload: Mapping[str, Any]) -> None:
        """Accept a mail/send request."""
        people = payload["personalizations"]
        kept = payload if self._keep else {"personalizations": [{"custom_args": p["custom_args"]} for p in people]}
        with self._lock:
            self._append({"at": time.monotonic(), "mail": message_id, "payload": kept})
            self._remember_mail(message_id, kept, time.monotonic())

    def change(self, sid: str, status: str, error_code: int | None) -> Sms:
        """Move a text message to another state."""
        with self._lock:
            self._append({"sid": sid, "status": status, "error_code": error_code})
            self.sms[sid] = replace(self.sms[sid], status=status, error_code=error_code)
            return self.sms[sid]

    def _write(self, line: Mapping[str, Any], own_id: str, sms: Sms) -> None:
        with self._lock:
            self._append(line)
            self._remember_sms(own_id, sms, time.monotonic())

    def _append(self, line: Mapping[str, Any]) -> None:
        if self._handle is not None:
            os.write(self._handle, json.dumps(line).encode() + b"\n")

    def _remember_sms(self, own_id: str, sms: Sms, at: float) -> None:
        if own_id:
            self.accepted[own_id] += 1
            self.accepted_at.setdefault(own_id, at)
        if self._keep or not own_id:
            self.sms[sms.sid] = sms
            self.by_number[sms.to].append(sms.sid)

    def _remember_mail(self, message_id: str, payload: Mapping[str, Any], at: float) -> None:
        for person in payload["personalizations"]:
            own_id = own_id_of(person)
            self.accepted[own_id] += 1
            self.accepted_at.setdefault(own_id, at)
            if self._keep:
                self.mails.append((message_id, payload, person))

    def _replay(self, file: Path) -> None:
        if not file.exists():
            return
        for text in file.read_text("utf-8").splitlines():
            try:
                line = json.loads(text)
            except ValueError:  # the last line of a killed stand-in may be cut
                continue
            if "sms" in line:
                self._remember_sms(line["own"], Sms(**line["sms"]), line["at"])
            elif "mail" in line:
                self._remember_mail(line["mail"], line["payload"], line["at"])
            elif line.get("sid") in self.sms:
                changes = {"status": line["status"], "error_code": line["error_code"]}
                self.sms[line["sid"]] = replace(self.sms[line["sid"]], **changes)


def own_id_of(person: Mapping[str, Any]) -> str:
    """Return our attempt id of a personalization, or the address where it has none."""
    args = person.get("custom_args") or {}
    return str(args.get("attempt") or person.get("to", [{}])[0].get("email", ""))
