"""A lean HTTP/1.1 server on loopback: a thread a connection, and every way to break one."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from notifiers.testing.steps import Step

_END_OF_HEAD = b"\r\n\r\n"
_CHUNK = 65536
_LARGEST = 40_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request. `headers` is the raw head, lower case where it is looked at."""

    method: str
    path: str
    query: str
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, or an empty text."""
        start = self.head.lower().find(b"\r\n" + name.lower().encode() + b":")
        if start < 0:
            return ""
        line = self.head[start + 2 : self.head.find(b"\r\n", start + 2)]
        return line.partition(b":")[2].strip().decode("latin-1")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body, further headers, and how the answer is to be carried out."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    step: Step = field(default_factory=Step)


class BreakOffError(Exception):
    """The connection is to end here."""


class WireServer:
    """Listens on 127.0.0.1 and hands whole requests to `handle`."""

    def __init__(
        self,
        handle: Callable[[Request], Answer],
        before_reading: Callable[[bytes], Step | None],
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._handle = handle
        self._before_reading = before_reading
        self._tls = tls
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True, name="stand-in")

    def start(self) -> None:
        """Begin to answer."""
        self._acceptor.start()

    def stop(self) -> None:
        """Close everything and wait for the threads."""
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(5)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True, name="stand-in connection")
            self._threads = [old for old in self._threads if old.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        connection = raw
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(raw, server_side=True)
                self._open.add(connection)
            self._converse(connection)
        except (OSError, BreakOffError):
            pass
        finally:
            self._open -= {raw, connection}
            connection.close()

    def _converse(self, connection: socket.socket) -> None:
        waiting = b""
        while not self.stopping.is_set():
            if not waiting and self._tls is None:
                first = connection.recv(4, socket.MSG_PEEK)
                if not first:
                    return
                if (step := self._before_reading(first)) is not None:
                    _break(connection, step)
            request, waiting = _read(connection, waiting)
            if request is None:
                return
            answer = self._handle(request)
            closing = b"connection: close" in request.head.lower()
            self._carry_out(connection, answer, closing=closing)
            if closing:
                return

    def _carry_out(self, connection: socket.socket, answer: Answer, *, closing: bool) -> None:
        step = answer.step
        if step.hang:
            self.stopping.wait(step.hang)
            raise BreakOffError
        if step.delay:
            self.stopping.wait(step.delay)
        if step.cut == "half":
            connection.shutdown(socket.SHUT_WR)
            self.stopping.wait(60)
        if step.cut:
            _break(connection, step)
        data = _written(answer, closing=closing)
        if not step.drip:
            connection.sendall(data)
            return
        for place in range(len(data)):
            connection.sendall(data[place : place + 1])
            if self.stopping.wait(step.drip):
                raise BreakOffError


def _break(connection: socket.socket, step: Step) -> None:
    if step.cut == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise BreakOffError


def _read(connection: socket.socket, waiting: bytes) -> tuple[Request | None, bytes]:
    end = waiting.find(_END_OF_HEAD)
    while end < 0:
        more = connection.recv(_CHUNK)
        if not more or len(waiting) > _LARGEST:
            return None, b""
        waiting += more
        end = waiting.find(_END_OF_HEAD)
    head, rest = waiting[: end + 2], waiting[end + 4 :]
    place = head.lower().find(b"\r\ncontent-length:")
    length = int(head[place + 17 : head.find(b"\r\n", place + 17)]) if place >= 0 else 0
    if length > _LARGEST:
        return None, b""
    parts = [rest]
    missing = length - len(rest)
    while missing > 0:
        more = connection.recv(min(missing, _CHUNK))
        if not more:
            return None, b""
        parts.append(more)
        missing -= len(more)
    data = b"".join(parts)
    method, target, _ = head[: head.find(b"\r\n")].decode("latin-1").split(" ", 2)
    path, _, query = target.partition("?")
    return Request(method, path, query, head, data[:length]), data[length:]


_REASONS = {200: "OK", 201: "Created", 202: "Accepted", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}


def _written(answer: Answer, *, closing: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Status')}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
    ]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if closing:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + _END_OF_HEAD + answer.body
