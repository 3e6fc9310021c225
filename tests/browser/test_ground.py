"""The browser that the page tests stand on is real, and stays on this machine."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


class _Greeting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        language = self.headers["Accept-Language"][:2]
        head = "<meta name=viewport content='width=device-width'><title>Hej</title>"
        body = f"{head}<p lang='{language}'>Hej".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def greeting() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Greeting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_page_opens_in_the_language_width_and_scheme_asked_for(open_page: OpenPage, greeting: str) -> None:
    page = open_page(width="phone", scheme="dark", language="en")
    page.goto(greeting)
    assert page.title() == "Hej"
    assert page.locator("p").get_attribute("lang") == "en"
    assert page.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]") == [390, True]


def test_two_pages_share_no_cookies(open_page: OpenPage, greeting: str) -> None:
    first, second = open_page(), open_page()
    first.goto(greeting)
    second.goto(greeting)
    first.evaluate("document.cookie = 'a=1'")
    assert second.evaluate("document.cookie") == ""
