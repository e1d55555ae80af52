"""Connection: one keep-alive connection of the load generator; one request out, one whole answer in, no pipelining.

It is written on bare sockets to cost little, and because a client library would hide how an answer is framed.
"""

import socket

from benchmarks.plan import WrongAnswer

_ROOM = 1 << 20


class Connection:
    """A connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(_ROOM)
        self._view = memoryview(self._buffer)
        self._have = 0
        self._start = 0
        self._end: int | None = None

    def send(self, request: bytes, size: int | None = None) -> None:
        """Send a request. ``size`` is the answer's length where its protocol is not HTTP and does not say it."""
        self._have = self._start = 0
        self._end = size
        self.socket.sendall(request)

    def receive(self) -> memoryview | None:
        """Read what has come; the answer's body once it is whole, until then None.

        The view is valid until the next request.
        """
        count = self.socket.recv_into(self._view[self._have :])
        if not count:
            raise WrongAnswer(f"closed after {self._have} bytes: {bytes(self._view[:200])!r}")
        self._have += count
        if self._end is None:
            self._read_head()
        elif self._start == 0 and self._buffer.startswith(b"-"):
            raise WrongAnswer(bytes(self._view[: self._have]).decode())
        if self._end is None or self._have < self._end:
            return None
        if self._have > self._end:
            raise WrongAnswer(f"{self._have - self._end} bytes too many")
        return self._view[self._start : self._end]

    def ask(self, request: bytes, size: int | None = None) -> bytes:
        """Send a request, wait for its answer, and return a copy of the body."""
        self.send(request, size)
        while (body := self.receive()) is None:
            pass
        return bytes(body)

    def close(self) -> None:
        """End the connection."""
        self.socket.close()

    def _read_head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n", 0, self._have)
        if end < 0:
            return
        head = bytes(self._view[: end + 2]).lower()
        _, named, rest = head.partition(b"\r\ncontent-length:")
        if not head.startswith(b"http/1.1 200 ") or not named:
            raise WrongAnswer(bytes(self._view[: min(self._have, 2000)]).decode(errors="replace"))
        self._start = end + 4
        self._end = self._start + int(rest[: rest.index(b"\r\n")])
