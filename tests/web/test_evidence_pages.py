"""Files come in, are listed, and are handed out to be saved, never to be shown."""

import io
import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.services import attachments, incidents
from tests.makers import make_controller
from tests.web.conftest import Person

Login = Callable[..., Person]


@pytest.fixture
def reference(tracker: Tracker, nordlys: Controller) -> str:
    return incidents.open_incident(tracker.context, SHELL, title="Kundeliste lå åbent", controller_id=nordlys.id)


@pytest.fixture
def clara(login: Login) -> Person:
    return login(Role.RESPONDER)


def _url(reference: str) -> str:
    return f"/incidents/{reference}/evidence"


def _attach(person: Person, reference: str, *files: tuple[bytes, str]) -> int:
    given = [(io.BytesIO(plain), name) for plain, name in files]
    return person.post(_url(reference), _url(reference), file=given).status_code


def test_files_come_in_are_listed_and_go_out_unchanged(clara: Person, tracker: Tracker, reference: str) -> None:
    plain = bytes(range(256)) * 1500
    assert _attach(clara, reference, (plain, "adgangslog.txt"), (b"billede", "skærm.png")) == 303
    page = clara.get(_url(reference)).text
    assert "adgangslog.txt" in page
    assert "skærm.png" in page
    kept = {one.file_name: one.id for one in attachments.listing(tracker.context, SHELL, reference)}
    assert clara.get(f"{_url(reference)}/{kept['adgangslog.txt']}").data == plain


@pytest.mark.parametrize(
    "name", ["side.html", "tegning.svg", "../../../etc/passwd", 'a"b;c.exe', "æøå €.pdf", "x" * 300, "a\r\nb: c"]
)
def test_whatever_it_is_called_a_browser_saves_it_and_never_runs_it(
    clara: Person, tracker: Tracker, reference: str, name: str
) -> None:
    kept = attachments.add(tracker.context, SHELL, reference, file_name=name, plain=[b"<script>alert(1)</script>"])
    answer = clara.get(f"{_url(reference)}/{kept.id}")
    assert answer.status_code == 200
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment;")
    assert "/" not in unquote(disposition).replace("UTF-8''", "")
    assert "\n" not in disposition


def test_a_name_keeps_its_letters_for_browsers_of_today(clara: Person, tracker: Tracker, reference: str) -> None:
    kept = attachments.add(tracker.context, SHELL, reference, file_name="skærm €.png", plain=[b"x"])
    disposition = clara.get(f"{_url(reference)}/{kept.id}").headers["Content-Disposition"]
    found = re.search(r"filename\*=UTF-8''(\S+)", disposition)
    assert found
    assert unquote(found[1]) == "skærm €.png"


def test_the_page_says_that_metadata_are_kept(clara: Person, reference: str) -> None:
    assert "forfatter, sted, tid" in clara.get(_url(reference)).text


def test_nothing_chosen_is_said(clara: Person, reference: str) -> None:
    answer = clara.post(_url(reference), _url(reference))
    assert answer.status_code == 422
    assert "Vælg en fil først." in answer.text


def test_a_full_disk_is_said_and_nothing_is_listed(
    clara: Person, tracker: Tracker, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("incident_tracker.store.attachments.os.fsync", full)
    answer = clara.post(_url(reference), _url(reference), file=(io.BytesIO(b"x"), "log.txt"))
    assert answer.status_code == 422
    assert "disken er fuld" in answer.text
    assert attachments.listing(tracker.context, SHELL, reference) == ()


def test_a_damaged_file_is_not_handed_out(clara: Person, tracker: Tracker, reference: str) -> None:
    kept = attachments.add(tracker.context, SHELL, reference, file_name="log.txt", plain=[b"x" * 100])
    file = attachments.folder(tracker.context) / kept.id
    file.write_bytes(file.read_bytes()[:-1])
    answer = clara.get(f"{_url(reference)}/{kept.id}")
    assert answer.status_code == 400
    assert "beskadiget" in answer.text


def test_a_file_of_another_incident_answers_like_none(clara: Person, tracker: Tracker, reference: str) -> None:
    other = make_controller(tracker.context, "Skyhost A/S")
    theirs = incidents.open_incident(tracker.context, SHELL, title="Andet", controller_id=other.id)
    kept = attachments.add(tracker.context, SHELL, theirs, file_name="log.txt", plain=[b"x"])
    assert clara.get(f"{_url(theirs)}/{kept.id}").status_code == 404
    assert clara.get(f"{_url(reference)}/{kept.id}").status_code == 404
    assert clara.get(f"{_url(reference)}/{'0' * 32}").status_code == 404


def test_an_auditor_fetches_and_attaches_nothing(login: Login, tracker: Tracker, reference: str) -> None:
    kept = attachments.add(tracker.context, SHELL, reference, file_name="log.txt", plain=[b"x"])
    dan = login(Role.AUDITOR)
    page = dan.get(_url(reference)).text
    assert 'type="file"' not in page
    assert dan.get(f"{_url(reference)}/{kept.id}").data == b"x"
