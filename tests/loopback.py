"""Nothing in a test run leaves the machine: a way out is refused, remembered, and fails the test that tried."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any


class TheOutsideIsClosed(RuntimeError):  # noqa: N818 - says what is so
    """A test tried to reach an address that is not on this machine."""


class Ban:
    """Guards the ways out of Python's own sockets."""

    def __init__(self) -> None:
        """Start with nothing tried."""
        self.tried: list[str] = []

    def lay(self) -> None:
        """Put the guard on; it stays for the life of the process."""
        for name in ("connect", "connect_ex"):
            setattr(socket.socket, name, self._guarded_call(getattr(socket.socket, name), place=0))
        socket.socket.sendto = self._guarded_call(socket.socket.sendto, place=-1)  # type: ignore[method-assign]
        look_up = socket.getaddrinfo

        def guarded_look_up(host: Any, *rest: Any, **named: Any) -> Any:
            self._check(host)
            return look_up(host, *rest, **named)

        socket.getaddrinfo = guarded_look_up

    def _guarded_call(self, original: Callable[..., Any], *, place: int) -> Callable[..., Any]:
        def guarded(sock: socket.socket, *arguments: Any) -> Any:
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                self._check(arguments[place][0])
            return original(sock, *arguments)

        return guarded

    def _check(self, host: str | bytes | None) -> None:
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or is_here(name):
            return
        self.tried.append(name)
        raise TheOutsideIsClosed(name)


def is_here(host: str) -> bool:
    """Say whether a name or address is this machine itself."""
    if host in {"", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
