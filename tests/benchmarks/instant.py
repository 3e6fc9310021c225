"""A provider that says yes at once: as little work as an HTTP server can do, so that the client's limit is seen.

`python -m tests.benchmarks.instant` prints its address. `GET /count` tells how many messages it got.
"""

import itertools
import re
import socket
import sys
import threading

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_SMS = (
    b'{"sid":"SM%032x","status":"queued","to":"+4534412345","from":"+4532123456","body":"x","direction":'
    b'"outbound-api","error_code":null,"date_created":null,"date_sent":null,"messaging_service_sid":null}'
)
_numbers = itertools.count(1)
_got = {"mails": 0, "sms": 0}


def _answer(path: bytes, body: bytes) -> bytes:
    if path.startswith(b"/count"):
        return _http(b"200 OK", b"%d %d" % (_got["mails"], _got["sms"]))
    if b"mail/send" in path:
        _got["mails"] += body.count(b'"custom_args"')
        return _http(b"202 Accepted", b"", b"X-Message-Id: m%020d\r\n" % next(_numbers))
    _got["sms"] += 1
    return _http(b"201 Created", _SMS % next(_numbers))


def _http(status: bytes, body: bytes, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s" % (
        status,
        more,
        len(body),
        body,
    )


def _serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waiting = bytearray()
    with connection:
        while True:
            while (end := waiting.find(b"\r\n\r\n")) < 0:
                if not (piece := connection.recv(262_144)):
                    return
                waiting += piece
            head = bytes(waiting[:end])
            found = _LENGTH.search(head)
            whole = end + 4 + (int(found.group(1)) if found else 0)
            while len(waiting) < whole:
                if not (piece := connection.recv(262_144)):
                    return
                waiting += piece
            connection.sendall(_answer(head.split(b" ", 2)[1], bytes(waiting[end + 4 : whole])))
            del waiting[:whole]


def main() -> None:
    """Serve until killed."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
