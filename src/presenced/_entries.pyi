"""What native/entries.c has. It is compiled when presenced is installed, by hatch_build.py."""

from typing import TypeVar, final

T = TypeVar("T")

@final
class Entries:
    """Of one tenant: a person's id in lower case, and the JSON that others may see of that person."""

    def __len__(self) -> int: ...
    def __getitem__(self, person: str, /) -> bytes: ...
    def __setitem__(self, person: str, entry: bytes, /) -> None: ...
    def __delitem__(self, person: str, /) -> None: ...
    def __contains__(self, person: object, /) -> bool: ...
    def get(self, person: str, /) -> bytes | None: ...
    def pop(self, person: str, default: T, /) -> bytes | T: ...
    def join(self, ids: bytes, start: bytes, own: str | None, /) -> bytes | None:
        """``start``, the entries of ``ids`` (of ``pack``) with commas between them, and ``]}``.

        None if an id has no entry, is there twice, or is ``own``: then the long way has to be taken.
        """

def pack(body: bytes, most: int, /) -> bytes | None:
    """The ids in the body of a getPresencesByUserId, in a form that ``join`` takes, of this process only.

    None if the body is anything but ``{"ids": [...]}`` with one to ``most`` GUIDs, in whatever case and with whatever
    white space: then the long way has to be taken, which also says what is wrong.
    """
