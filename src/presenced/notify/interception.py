"""Interception: who may come between a notification and its subscriber, in a server that is started with --control.

Not known here is who that is (the emulator). A server that takes no control has nobody there, and plain endpoints that
know nothing of this.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

from presenced.notify.client import Answer
from presenced.notify.notification import Item


class NotificationEffect(NamedTuple):
    """What goes wrong with one notification; it is late by so many ``seconds``. ``fault`` is the id of what does it."""

    fault: str
    kind: Literal["lost", "late", "doubled", "reordered"]
    seconds: float = 0.0


class HandshakeEffect(NamedTuple):
    """The subscriber's answer is taken for none in time, or else for a wrong one, whatever it is."""

    fault: str
    timed_out: bool


class Post(NamedTuple):
    """One POST to a webhook, as far as it is of one tenant, and what came of it: an answer, or an error.

    A handshake is the ``app``'s that subscribes; of notifications, each is its own app's.
    """

    handshake: bool
    url: str
    tenant: str
    app: str | None
    headers: Mapping[str, str]
    body: bytes
    faults: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    answer: Answer | None = None
    error: str | None = None
    seconds: float = 0.0


class Interceptor(Protocol):
    """Says what goes wrong, and is told what was sent."""

    def of_notification(self, item: Item) -> NotificationEffect | None:
        """What goes wrong with a notification that is about to be sent for the first time."""
        ...

    def of_handshake(self, tenant: str, app: str) -> HandshakeEffect | None:
        """What goes wrong with the handshake of a subscriber."""
        ...

    def posted(self, post: Post) -> None:
        """Something was sent to a webhook."""
        ...
