"""Control: what the owner may ask of a server, over the socket in its data folder.

Blocking, and safe to use from several threads: what awaits it does so in a thread (see awaited.py), so that nothing
here belongs to one event loop and ends with it.
"""

from collections.abc import Callable
from typing import Any

import httpx

_PATIENCE = 600.0
"""Seconds for an answer: an advance waits for subscribers, who may be slow to answer."""
_END = 2.0
"""Seconds from the end of a connection to that of the process, if it is this that is ending."""


class ControlError(RuntimeError):
    """The server refused what was asked of it. The message says why; ``code`` is that of Graph's error envelope."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Control:
    """Questions to the server at ``socket``. ``died`` says whether it is the server's end that is in the way."""

    def __init__(self, socket: str, died: Callable[[float], Exception | None]) -> None:
        transport = httpx.HTTPTransport(uds=socket)
        self._client = httpx.Client(transport=transport, base_url="http://control", timeout=_PATIENCE, trust_env=False)
        self._died = died

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        """What the server answers to a JSON body, None if it has nothing to say.

        Raises ControlError for a no, and ServerDied when there is nobody to ask any more.
        """
        __tracebackhide__ = True  # in pytest: the test's line is what matters
        return _read(
            self.send(method, path, json=body, **more) if body is not None else self.send(method, path, **more)
        )

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer to a request as it is. Raises ControlError and ServerDied."""
        __tracebackhide__ = True
        if self._client.is_closed:
            raise ControlError("This server has been stopped.")
        if died := self._died(0):
            raise died
        try:
            answer = self._client.request(method, path, **more)
        except httpx.TransportError as error:
            raise self._died(_END) or ControlError(f"The server gave no answer: {error!r}") from None
        if answer.status_code >= 400:
            raise _refusal(answer)
        return answer

    def close(self) -> None:
        """Ask no more."""
        self._client.close()


def _read(answer: httpx.Response) -> Any:
    return answer.json() if answer.content else None


def _refusal(answer: httpx.Response) -> ControlError:
    try:
        error = answer.json()["error"]
        return ControlError(error["message"], error["code"])
    except (ValueError, KeyError, TypeError):
        return ControlError(answer.text or f"The server answered {answer.status_code}.")
