"""Entries: of one tenant, persons' ready-made JSON by their ids, and the quick way to many of them.

Rule: getPresencesByUserId (its page) answers with the entries of up to 650 persons in the order of their ids. The quick
way is compiled (native/entries.c) and does the same as the long way in service.py and graph/presences.py for a third of
the CPU; where it was not compiled, or a request is out of the ordinary, the long way is taken. Both are tested to give
the same bytes.
"""

COMPILED = True
"""Whether the quick way is there."""

try:
    from presenced._entries import Entries, pack
except ImportError:
    COMPILED = False

    class Entries(dict[str, bytes]):  # type: ignore[no-redef]
        """A person's id in lower case, and the JSON that others may see of that person."""

        def join(self, ids: bytes, start: bytes, own: str | None, /) -> bytes | None:
            """The long way has to be taken."""
            return None

    def pack(body: bytes, most: int, /) -> bytes | None:
        """The long way has to be taken."""
        return None


__all__ = ["COMPILED", "Entries", "pack"]
