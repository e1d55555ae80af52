"""Callers to compare with, whose tokens end whenever they end."""

from math import inf

import msgspec

from presenced.identity.caller import Caller


def timeless(caller: Caller) -> Caller:
    """The caller without the end of their token, which must be finite."""
    assert caller.expires_at < inf
    return msgspec.structs.replace(caller, expires_at=inf)
