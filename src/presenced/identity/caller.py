"""Caller: who a token speaks for. Decided once per token (tokens.py), asked by every operation (permissions.py)."""

from math import inf

import msgspec


class Caller(msgspec.Struct, frozen=True):
    """An application, alone or for a person.

    ``user`` is the person's object id in lower case for a delegated token (claim ``scp``), None for an application
    token (claim ``roles``). ``permissions`` are the names in that claim. ``expires_at`` is when the token ends.
    """

    tenant: str
    app: str
    user: str | None
    permissions: frozenset[str]
    expires_at: float = inf


class NotAuthenticated(Exception):
    """The request carries no token, or one that is not accepted. The message says why, in words for the caller."""
