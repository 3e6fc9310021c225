"""Reading a notifier's section of the settings, so that all its mistakes are named at once."""

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from notifiers.protocol import Channel, NotifierSettingsError


class SettingsReader:
    """Reads one section and collects what is wrong; `finish` raises it all. A mistake never repeats a value."""

    def __init__(self, section: str, settings: Mapping[str, Any]) -> None:
        self._section = section
        self._settings = settings
        self._asked: set[str] = set()
        self._mistakes: list[str] = []

    def mistake(self, key: str, what: str) -> None:
        """Note a mistake of the setting `key`."""
        self._mistakes.append(f"notifiers.{self._section}.{key}: {what}")

    def text(self, key: str, *, required: bool = False, default: str = "") -> str:
        """Return a text without blanks around it; values that hide a secret are unwrapped."""
        value = self._value(key)
        if value is None or value == "":
            if required:
                self.mistake(key, "is missing")
            return default
        if not isinstance(value, str):
            self.mistake(key, "must be a text")
            return default
        return value.strip()

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; one text alone may hold several, divided by commas or blanks."""
        value = self._value(key)
        if value is None:
            return ()
        parts = value.replace(",", " ").split() if isinstance(value, str) else value
        if not isinstance(parts, Sequence) or not all(isinstance(part, str) for part in parts):
            self.mistake(key, "must be a text or a list of texts")
            return ()
        return tuple(part.strip() for part in parts if part.strip())

    def number(self, key: str, *, default: int, least: int, most: int) -> int:
        """Return a whole number between `least` and `most`."""
        value = self._value(key)
        if value is None:
            return default
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.mistake(key, f"must be a whole number from {least} to {most}")
            return default
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return true or false."""
        value = self._value(key)
        if value is None:
            return default
        spoken = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
        if isinstance(value, str):
            value = spoken.get(value.strip().lower())
        if not isinstance(value, bool):
            self.mistake(key, "must be true or false")
            return default
        return value

    def choice(self, key: str, choices: Collection[str], *, default: str) -> str:
        """Return one of `choices`."""
        value = self.text(key, default=default)
        if value not in choices:
            self.mistake(key, f"must be one of {', '.join(choices)}")
            return default
        return value

    def base_address(self, key: str) -> str:
        """Return an http(s) address without a slash at its end; plain http is for this machine alone."""
        value = self.text(key).rstrip("/")
        if not value:
            return ""
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            host, parts = "", urlsplit("")
        if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment or "@" in parts.netloc:
            self.mistake(key, "must be an address like https://proxy.example.org")
        elif parts.scheme == "http" and not is_loopback(host):
            self.mistake(key, "must be https unless it is on this machine")
        return value

    def channel(self, channel: Channel, channels: Collection[Channel]) -> None:
        """Note a mistake if the notifier cannot serve `channel`."""
        if channel not in channels:
            self.mistake("channel", f"cannot carry {channel}, only {', '.join(sorted(channels))}")

    def finish(self) -> None:
        """Raise every mistake found, settings that nobody asked for included."""
        for key in sorted(set(self._settings) - self._asked):
            self.mistake(key, "is not a setting")
        if self._mistakes:
            raise NotifierSettingsError(self._mistakes)

    def _value(self, key: str) -> Any:
        self._asked.add(key)
        value = self._settings.get(key)
        unwrap = getattr(value, "get_secret_value", None)
        return unwrap() if callable(unwrap) else value


def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine, by name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
