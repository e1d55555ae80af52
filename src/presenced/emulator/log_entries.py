"""Log entries: a request with its answer, and a POST to a webhook with what came of it, as they are kept and told."""

import msgspec


class RequestEntry(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A request, or a part of a batch (``part``), with its answer.

    ``at`` is by the server's clock, ``duration`` in real seconds. ``status`` is None if no answer was sent; ``problem``
    says why. Sizes are in bytes, as they came and went.
    """

    number: int
    at: str
    method: str
    path: str
    operation: str | None
    status: int | None
    duration: float
    tenant: str | None
    app: str | None
    user: str | None
    part: bool = False
    faults: list[str] = []
    problem: str | None = None
    request_id: str | None = None
    request_headers: dict[str, str] = {}
    request_body: str = ""
    request_size: int = 0
    response_headers: dict[str, str] = {}
    response_body: str = ""
    response_size: int = 0

    @property
    def named(self) -> str:
        """It in a few words."""
        return f"{self.operation or f'{self.method} {self.path[:60]}'} {self.status or 'without an answer'}"


class NotificationShown(msgspec.Struct, rename="camel", frozen=True):
    """One notification of a POST: whose subscription, about whom, or which lifecycle event."""

    subscription: str
    app: str
    person: str | None
    event: str | None


class DeliveryEntry(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """A POST to a webhook, as far as it is of one tenant: a handshake, or notifications.

    ``at`` is when it was over, by the server's clock; ``duration`` in real seconds. ``status`` is None if no answer
    came, and ``problem`` says why.
    """

    number: int
    at: str
    kind: str
    url: str
    status: int | None
    duration: float
    tenant: str | None
    app: str | None
    notifications: list[NotificationShown] = []
    faults: list[str] = []
    problem: str | None = None
    request_headers: dict[str, str] = {}
    request_body: str = ""
    request_size: int = 0
    response_headers: dict[str, str] = {}
    response_body: str = ""

    @property
    def named(self) -> str:
        """It in a few words."""
        what = "handshake" if self.kind == "handshake" else f"POST of {len(self.notifications)}"
        return f"{what} {self.status or 'without an answer'}"
