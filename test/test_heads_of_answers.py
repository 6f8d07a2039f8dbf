"""What is read of an answer is what http.client reads of it, or nothing."""

from __future__ import annotations

import http.client
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from BlueJeansMeetingsRestApi.transport import Call, Response

METHODS = st.sampled_from(["GET", "POST", "HEAD"])
ANYTHING = st.text(st.characters(max_codepoint=0xFF), max_size=6)
FRAMING = ["Content-Length", "content-length", "Transfer-Encoding", "Connection"]
LENGTHS = ["0", "3", "5", " 5 ", "+5", "-5", "5, 5", "5, 6", "1_0", "9" * 20, "9" * 5000]
WORDS = ["chunked", "Chunked ", "gzip", "close", "Close, x", "keep-alive", "", "\t", "a\r\n b", "a\rb", "a\nb"]
NAMES = st.sampled_from([*FRAMING, "Content-Type", "X", "x", "From "]) | ANYTHING
VALUES = st.sampled_from([*LENGTHS, *WORDS]) | ANYTHING
LINES = st.tuples(
    NAMES, st.sampled_from([":", ": ", ":\t", " : ", ""]), VALUES, st.sampled_from([*["\r\n"] * 8, "\n", ""])
)
PLAIN = "HTTP/1.1 200 OK\r\n"
STATUSES = [
    "204 No Content",
    "304 Not Modified",
    "404",
    "404 ",
    "101 Switching",
    "099 X",
    "1000 X",
    " 200  OK ",
    "200 \xfc",
]
VERSIONS = ["HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "HTTP/2", "HTTP/1.10", "http/1.1", "ICY"]
FIRST_LINES = (
    st.sampled_from(
        [f"HTTP/1.1 {status}\r\n" for status in STATUSES] + [f"{version} 200 OK\r\n" for version in VERSIONS]
    )
    | st.sampled_from([PLAIN, PLAIN, "HTTP/1.1 200 OK\n", f"HTTP/1.1 100 Continue\r\n\r\n{PLAIN}"])
    | ANYTHING
)
BODIES = st.sampled_from(["", "hello", "3\r\nabc\r\n0\r\n\r\n", "x\r\nabc", "HTTP/1.1 200 OK\r\n\r\n"])
HEADERS = st.lists(LINES.map("".join), max_size=6).map("".join)
ANSWERS = st.tuples(FIRST_LINES, HEADERS, st.sampled_from([*["\r\n"] * 4, "\n", ""]), BODIES).map("".join)


def outcome(make: Any, answer: bytes, method: str) -> Any:
    """What a class of responses makes of an answer; None if it refuses."""
    server, client = socket.socketpair()
    with server, client:
        client.settimeout(10)
        server.sendall(answer)
        server.shutdown(socket.SHUT_WR)
        response = make(client, method=method)
        try:
            response.begin()
            head = (response.status, response.version, response.headers.items())
            closes = response.will_close
            length, body = response.length, b"".join(iter(lambda: response.read(1000), b""))
            return None if response.length else (closes, *head, length, body)
        except (http.client.HTTPException, ValueError):
            return None
        finally:
            response.close()


def ours(sock: socket.socket, method: str) -> Response:
    return Response(SimpleNamespace(call=Call(float("inf"), 10, 10, fresh=False)), sock, method=method)


MANY = "".join(f"X-{number}: 1\r\n" for number in range(99))


@settings(max_examples=1000, deadline=None)
@given(answer=ANSWERS, method=METHODS)
@example(answer=f"HTTP/1.1 200 OK\r\n{MANY}\r\n", method="GET")
@example(answer=f"HTTP/1.1 200 OK\r\n{MANY}Y: 1\r\n\r\n", method="GET")
@example(answer=f"HTTP/1.1 200 OK\r\nX: {'y' * 70000}\r\n\r\n", method="GET")
@example(answer="HTTP/1.1 204 No Content\r\nTransfer-Encoding:chunked\r\n\r\n", method="GET")
def test_an_answer_is_read_as_http_client_reads_it(answer: str, method: str) -> None:
    content = answer.encode("latin-1")
    expected = outcome(http.client.HTTPResponse, content, method)
    read = outcome(ours, content, method)
    if read is not None and read[1] == 204:
        # A body is none of its, and http.client may have failed to read one.
        assert read[-1] == b""
        assert expected is None or (read[0] >= expected[0], read[1:4]) == (True, expected[1:4])
    elif expected is None or read is None:
        assert read is None
        assert expected is None or has_no_one_end(answer)
    else:
        assert read[1:] == expected[1:]
        assert read[0] >= expected[0]  # or it closes where there is a doubt


def has_no_one_end(answer: str) -> bool:
    """Whether the headers end with the connection, or name several lengths. http.client makes something of that."""
    empty_lines = sum(line in ("", "\r") for line in answer.split("\n")[1:-1])
    return empty_lines <= answer.count("100 Continue") or answer.lower().count("content-length") + answer.count(",") > 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nxy",
        b"HTTP/1.1 200 OK\r\nX: y\r\n",
    ],
)
def test_an_answer_without_one_end_is_refused(answer: bytes) -> None:
    assert outcome(http.client.HTTPResponse, answer, "GET") is not None
    assert outcome(ours, answer, "GET") is None
