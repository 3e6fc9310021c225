"""A full disk of attachments, and an upload killed half-way: no row without its file, no file left without a row."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from incident_tracker.domain.access import SHELL
from incident_tracker.services import attachments, incidents
from incident_tracker.services.attachments import AttachmentNotSaved
from incident_tracker.services.context import Context
from tests.makers import HandClock, make_context, make_controller

UPLOAD = """
import sys
from pathlib import Path
from incident_tracker import bootstrap
from incident_tracker.domain.access import SHELL
from incident_tracker.services import attachments
from incident_tracker.settings import Settings

tracker = bootstrap.build(Settings.model_validate({"data": {"dir": Path(sys.argv[1])}}), notifiers={})

def slowly():
    for _ in range(8):
        yield bytes(300_000)
    print("half", flush=True)
    sys.stdin.readline()
    yield bytes(300_000)

attachments.add(tracker.context, SHELL, sys.argv[2], file_name="log.bin", plain=slowly())
print("kept", flush=True)
"""


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    made = make_context(tmp_path, HandClock())
    yield made
    made.database.close()


@pytest.fixture
def reference(context: Context) -> str:
    controller = make_controller(context)
    return incidents.open_incident(context, SHELL, title="Kundeliste", controller_id=controller.id)


@pytest.mark.privileged
def test_a_full_disk_of_attachments_keeps_the_incident_and_says_so(context: Context, reference: str) -> None:
    folder = attachments.folder(context)
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], check=True)  # noqa: S603, S607
    try:
        kept = attachments.add(context, SHELL, reference, file_name="small.txt", plain=[bytes(100_000)])
        with pytest.raises(AttachmentNotSaved) as refused:
            attachments.add(context, SHELL, reference, file_name="large.txt", plain=[bytes(600_000)])
        assert refused.value.params["why"] == "the disk is full"
        incidents.add_note(context, SHELL, reference, text="Bilaget må vente.")
        assert [one.id for one in attachments.listing(context, SHELL, reference)] == [kept.id]
        assert [one.name for one in folder.iterdir()] == [kept.id]
        again = attachments.add(context, SHELL, reference, file_name="small.txt", plain=[bytes(100_000)])
        assert len(b"".join(attachments.read(context, SHELL, reference, again.id)[1])) == 100_000
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607


def test_an_upload_killed_half_way_leaves_no_row_and_what_it_left_is_swept(context: Context, reference: str) -> None:
    folder = context.settings.data.dir
    command = [sys.executable, "-c", UPLOAD, str(folder), reference]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as upload:  # noqa: S603
        assert upload.stdout is not None
        assert upload.stdout.readline() == "half\n"
        upload.send_signal(signal.SIGKILL)
    assert attachments.listing(context, SHELL, reference) == ()
    (left,) = attachments.folder(context).iterdir()
    assert left.suffix == ".part"
    long_ago = context.now().timestamp() - 7200
    os.utime(left, (long_ago, long_ago))
    assert attachments.check(context).orphans == (left.name,)
    assert attachments.sweep(context) == (left.name,)
    assert list(attachments.folder(context).iterdir()) == []
