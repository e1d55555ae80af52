"""SigningKeys: the RSA keys that sign this server's tokens, in one file that only its owner may read."""

import os
import stat
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from presenced.clock import Clock

# No token lives longer: 24 h 5 min is what Graph gives its validation tokens (spec A.5), the longest signed here.
LONGEST_LIFETIME = 24 * 3600 + 300


class KeysUnusable(Exception):
    """The key file cannot be used. The message says why, and what to do."""


class SigningKey(NamedTuple):
    """One key, and the instant since which it signs."""

    created: float
    key: RSAKey

    @property
    def kid(self) -> str:
        return str(self.key.kid)


class SigningKeys:
    """The current key, and those before it for as long as tokens they signed may live.

    Make it with ``SigningKeys.open(clock, path)``. Without a path the keys are gone with the process.
    """

    def __init__(self, clock: Clock, path: Path | None, keys: list[SigningKey]) -> None:
        self._clock = clock
        self._path = path
        self._keys = keys

    @classmethod
    def open(cls, clock: Clock, path: Path | None = None) -> "SigningKeys":
        """Read the file, or make it with one new key. Raises KeysUnusable."""
        keys = cls(clock, path, [] if path is None else _read(path))
        if not keys._keys:
            keys.rotate()
        return keys

    @property
    def current(self) -> SigningKey:
        """The key that signs."""
        return self._keys[-1]

    def find(self, kid: str) -> RSAKey | None:
        """The key with this id, unless it is retired."""
        return next((key.key for key in self._verifying() if key.kid == kid), None)

    def public_jwks(self) -> dict[str, Any]:
        """The public half of every key that verifies, the current one first."""
        return {"keys": [dict(key.key.as_dict(private=False)) for key in reversed(self._verifying())]}

    def rotate(self, *, revoke: bool = False) -> SigningKey:
        """Sign with a new key from now on. The old ones verify until their tokens have ended; with ``revoke``, never.

        After a revocation, Verifier.forget() ends the tokens that were already verified.
        """
        key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
        keys = [] if revoke else self._verifying()
        keys.append(SigningKey(self._clock.now(), key))
        if self._path is not None:
            _write(self._path, keys)
        self._keys = keys
        return self.current

    def _verifying(self) -> list[SigningKey]:
        # A key signs until the next one is made, so its last token ends LONGEST_LIFETIME after that.
        oldest = self._clock.now() - LONGEST_LIFETIME
        successors = self._keys[1:]
        old = [key for key, successor in zip(self._keys, successors, strict=False) if successor.created > oldest]
        return [*old, *self._keys[-1:]]


def _read(path: Path) -> list[SigningKey]:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KeysUnusable(f"The signing keys in {path} cannot be read: {error.strerror}.") from error
    with os.fdopen(descriptor, "rb") as file:
        # Asked of the open file, so that it cannot be swapped in between. Windows has no such mode bits.
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if os.name == "posix" and mode & 0o077:
            raise KeysUnusable(
                f"Others than the owner may use the signing keys in {path} (mode {mode:04o}), so anyone who could read "
                f"them can make tokens. Run: chmod 600 {path}. If in doubt, delete the file: new keys are made, and "
                "tokens signed until now stop working."
            )
        content = file.read()
    try:
        jwks = msgspec.json.decode(content, type=dict[str, list[dict[str, Any]]])
        keys = [SigningKey(float(jwk.pop("created")), RSAKey.import_key(jwk)) for jwk in jwks["keys"]]
        if not keys or not all(key.key.is_private and key.key.kid for key in keys):
            raise ValueError("a key is missing, or is not a private one")
    except (msgspec.MsgspecError, JoseError, KeyError, ValueError, TypeError) as error:
        # Not the error's own words: they may quote the key.
        raise KeysUnusable(
            f"{path} does not hold signing keys that presenced wrote ({type(error).__name__}). Restore it from a "
            "backup, or delete it: new keys are made, and tokens signed until now stop working."
        ) from None
    return keys


def _write(path: Path, keys: list[SigningKey]) -> None:
    """Whole or not at all, whenever the process or the machine stops: a new file, flushed, takes the old one's name."""
    jwks = {"keys": [{**key.key.as_dict(private=True), "created": key.created} for key in keys]}
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made with mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(jwks))
                file.flush()
                os.fsync(descriptor)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        if os.name == "posix":
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise KeysUnusable(f"The signing keys cannot be written to {path}: {error.strerror}.") from error
