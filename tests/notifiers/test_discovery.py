import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from notifiers import discovery
from notifiers.discovery import BrokenNotifierError, UnknownNotifierError
from notifiers.outbox import OutboxNotifier


def plant(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    found = EntryPoints(EntryPoint(name, value, discovery.GROUP) for name, value in values.items())
    monkeypatch.setattr(discovery, "entry_points", lambda group: found.select(group=group))


def test_a_plugin_is_found_by_the_name_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, outbox="notifiers.outbox:OutboxNotifier")
    assert discovery.load("outbox") is OutboxNotifier


def test_an_unknown_name_lists_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, outbox="notifiers.outbox:OutboxNotifier", twilio_sms="x:Y")
    with pytest.raises(UnknownNotifierError, match=r"'pigeon'; installed are: outbox, twilio_sms"):
        discovery.load("pigeon")


def test_only_the_named_plugin_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, outbox="notifiers.outbox:OutboxNotifier", pigeon="antigravity:Pigeon")
    discovery.load("outbox")
    assert discovery.available() == ("outbox", "pigeon")
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("value", ["no_such_module:X", "notifiers.outbox:NoSuchClass", "notifiers.outbox:json"])
def test_a_plugin_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    plant(monkeypatch, pigeon=value)
    with pytest.raises(BrokenNotifierError, match=f"'pigeon' \\({value}\\)"):
        discovery.load("pigeon")


def test_two_packages_cannot_claim_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = EntryPoints(EntryPoint("outbox", value, discovery.GROUP) for value in ("a:A", "b:B"))
    monkeypatch.setattr(discovery, "entry_points", lambda group: twice.select(group=group))
    with pytest.raises(BrokenNotifierError, match="a:A and b:B"):
        discovery.load("outbox")
