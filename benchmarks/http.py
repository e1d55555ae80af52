"""HTTP: requests as bytes ready to be sent, and the answers to them."""

import msgspec

from benchmarks.connection import Connection


def post(path: str, body: object, token: str | None = None) -> bytes:
    """A POST of JSON, with the headers that a client of Graph cannot do without."""
    content = msgspec.json.encode(body)
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}Accept: application/json\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode("ascii") + content


def get(path: str) -> bytes:
    """A GET."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n".encode("ascii")


def ask_all(port: int, requests: list[bytes]) -> list[bytes]:
    """Send requests one after the other; the bodies of their answers. Raises WrongAnswer unless all are 200."""
    connection = Connection(port)
    try:
        return [connection.ask(request) for request in requests]
    finally:
        connection.close()
