"""Refused: how a rule says no. The wire (graph/errors.py) turns the code into a status."""


class Refused(Exception):
    """A request that a rule does not allow.

    ``code`` is Graph's error code (``InvalidArgument``, ``NotFound``, ...), ``message`` is for a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def required(field: str) -> Refused:
    """The refusal of a request without ``field``, in the words observed on clearPresence (ms-teams-cli issue 71)."""
    return Refused("InvalidArgument", f"[{field}]: The {field} field is required.")


def out_of_range(field: str) -> Refused:
    """The refusal of a duration, in the words observed for setPresence (msgraph-sdk-dotnet issue 1186)."""
    return Refused("InvalidArgument", f"The provided [{field}] is out of range.")
