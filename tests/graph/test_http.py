"""HTTP beneath Graph: what cannot be parsed, heads without end, pipelining, HEAD."""

import json
import socket

from tests.conftest import NADIA
from tests.running import Server


def exchange(server: Server, *parts: bytes) -> bytes:
    """Send the parts over one connection, then all that comes back until it closes."""
    host, port = server.http.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has seen enough
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
        return received


def check_refused(answer: bytes, status: int, code: str) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert b"content-type: application/json\r\n" in head
    assert b"request-id: " in head
    assert json.loads(body)["error"]["code"] == code


def test_what_is_not_http(server: Server) -> None:
    for nonsense in (
        b"\x16\x03\x01\x02\x00",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
    ):
        check_refused(exchange(server, nonsense), 400, "BadRequest")
    both = b"POST /v1.0/me HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"
    assert b" 200 " not in exchange(server, both)[:20]


def test_a_head_without_end(server: Server) -> None:
    line = b"x-filler: " + b"y" * 1000 + b"\r\n"
    check_refused(exchange(server, b"GET / HTTP/1.1\r\n", *[line] * 200), 431, "RequestHeaderFieldsTooLarge")


def test_many_requests_on_one_connection(server: Server) -> None:
    token = server.command("token").strip().encode()
    body = json.dumps({"ids": [NADIA], "filler": "x" * 100_000}).encode()
    one = (
        b"POST /v1.0/communications/getPresencesByUserId HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %b\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    ) % (token, len(body), body)
    last = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answers = exchange(server, one * 5 + last)
    assert answers.count(b"HTTP/1.1 200 OK") == 5
    assert answers.count(b"HTTP/1.1 404 Not Found") == 1


def test_a_strange_host_is_not_repeated(server: Server) -> None:
    token = server.command("token").strip().encode()
    for host in (b'evil"/><script>', b"a b", b"", b"x" * 5000):
        request = (
            b"GET /v1.0/users/%b/presence HTTP/1.1\r\nHost: %b\r\nAuthorization: Bearer %b\r\nConnection: close\r\n\r\n"
        )
        answer = exchange(server, request % (NADIA.encode(), host, token))
        assert server.http.encode() + b"/v1.0/$metadata" in answer
