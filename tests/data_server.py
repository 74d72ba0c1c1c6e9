"""A web server on this machine whose files are good, cut off, slow, wrong or gone."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler, int], None]
"""What to do with a request, and its number for this path, from 1."""


class Server:
    """Answers by path; counts the requests."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: Counter[str] = Counter()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.requests[self.path] += 1
                # The client may hang up at any time.
                try:
                    owner.answers.get(self.path, status(404))(self, owner.requests[self.path])
                except ConnectionError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True

    def url(self, path: str, answer: Answer | None = None) -> str:
        """Return the URL of a path, after saying how to answer it."""
        if answer:
            self.answers[path] = answer
        return f"http://127.0.0.1:{self.http.server_port}{path}"


@contextmanager
def serve() -> Iterator[Server]:
    """Run a server on a free port."""
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()
        thread.join()


def head(handler: BaseHTTPRequestHandler, length: int | None, code: int = 200) -> None:
    handler.send_response(code)
    if length is not None:
        handler.send_header("Content-Length", str(length))
    handler.end_headers()


def good(body: bytes) -> Answer:
    """Answer with the whole file."""

    def answer(handler: BaseHTTPRequestHandler, _: int) -> None:
        head(handler, len(body))
        handler.wfile.write(body)

    return answer


def cut_off(body: bytes, after: int) -> Answer:
    """Promise the whole file, and hang up early."""

    def answer(handler: BaseHTTPRequestHandler, _: int) -> None:
        head(handler, len(body))
        handler.wfile.write(body[:after])
        handler.close_connection = True

    return answer


def stalled(body: bytes, after: int, seconds: float) -> Answer:
    """Send a part of the file, and then nothing for so long."""

    def answer(handler: BaseHTTPRequestHandler, _: int) -> None:
        head(handler, len(body))
        handler.wfile.write(body[:after])
        handler.wfile.flush()
        time.sleep(seconds)

    return answer


def slow(body: bytes, seconds: float, pieces: int = 10) -> Answer:
    """Send the whole file in pieces, over so many seconds."""

    def answer(handler: BaseHTTPRequestHandler, _: int) -> None:
        head(handler, len(body))
        size = -(-len(body) // pieces)
        for start in range(0, len(body), size):
            handler.wfile.write(body[start : start + size])
            handler.wfile.flush()
            time.sleep(seconds / pieces)

    return answer


def endless(handler: BaseHTTPRequestHandler, _: int) -> None:
    """Send zeros for as long as the client takes them."""
    head(handler, None)
    for _ in range(1000):
        handler.wfile.write(bytes(1 << 16))


def status(code: int) -> Answer:
    """Answer with an error."""

    def answer(handler: BaseHTTPRequestHandler, _: int) -> None:
        head(handler, 0, code)

    return answer


def hang_up(handler: BaseHTTPRequestHandler, _: int) -> None:
    """Close the connection without a word."""
    handler.close_connection = True


def in_turn(*answers: Answer) -> Answer:
    """Answer the first request by the first, and so on; the last answers all that follow."""

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        answers[min(number, len(answers)) - 1](handler, number)

    return answer
