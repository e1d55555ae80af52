"""DeviceCodes: sign-ins that begin on a device without a browser and end in one elsewhere (RFC 8628).

The device holds a long secret and polls with it; the person types a short code. Both last fifteen minutes, in memory.
"""

import hashlib
import secrets
from collections import Counter
from typing import Literal

import msgspec

from presenced.clock import Clock

LIFETIME = 900.0
INTERVAL = 5
# Polls are meant to be INTERVAL apart, and clocks and networks are not exact.
_TOLERANCE = 1.0
# How long a device may still ask what became of it, so that it hears "expired" and not "never heard of it".
_REMEMBERED = 300.0
_MOST = 10_000
_MOST_OF_APP = 1000  # so that whoever floods one app, which takes no secret, keeps nobody from the others
# Letters without vowels, so that no words come out, and without those that look like others (RFC 8628 section 6.1).
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 9

Status = Literal["pending", "too fast", "declined", "expired", "done"]


class DeviceSignIn(msgspec.Struct):
    """One sign-in under way. ``person`` and the ``stamp`` of their password come when they have signed in."""

    tenant: str
    app: str
    scope: str
    user_code: str
    expires_at: float
    person: str | None = None
    stamp: str = ""
    declined: bool = False
    polled_at: float = float("-inf")

    @property
    def open(self) -> bool:
        """Whether a person may still decide."""
        return self.person is None and not self.declined


class DeviceCodes:
    """All sign-ins under way."""

    def __init__(self, clock: Clock) -> None:
        self._now = clock.now
        self._by_device: dict[bytes, DeviceSignIn] = {}  # in the order they expire
        self._by_user_code: dict[str, DeviceSignIn] = {}
        self._of_app: Counter[tuple[str, str]] = Counter()

    def clear(self) -> None:
        """Forget all codes."""
        for codes in (self._by_device, self._by_user_code, self._of_app):
            codes.clear()

    def begin(self, tenant: str, app: str, scope: str) -> tuple[str, DeviceSignIn] | None:
        """A new device code and what it stands for; None while there are too many, of this app or in all."""
        self._forget_expired()
        if len(self._by_device) >= _MOST or self._of_app[tenant, app] >= _MOST_OF_APP:
            return None
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        if user_code in self._by_user_code:  # 5 * 10^11 of them: all but never
            return self.begin(tenant, app, scope)
        device_code = secrets.token_urlsafe(32)
        sign_in = DeviceSignIn(tenant, app, scope, user_code, self._now() + LIFETIME)
        self._by_device[_hash(device_code)] = sign_in
        self._by_user_code[user_code] = sign_in
        self._of_app[tenant, app] += 1
        return device_code, sign_in

    def find(self, user_code: str) -> DeviceSignIn | None:
        """The sign-in that waits for whoever types this code, in any letter case, with spaces or dashes."""
        code = "".join(letter for letter in user_code[:64] if letter.isalnum()).upper()
        sign_in = self._by_user_code.get(code)
        return sign_in if sign_in is not None and sign_in.open and self._now() < sign_in.expires_at else None

    def poll(self, device_code: str, tenant: str, app: str) -> tuple[Status, DeviceSignIn] | None:
        """How it stands; None if this app has no such code. Once it is done it is forgotten."""
        key = _hash(device_code)
        sign_in = self._by_device.get(key)
        if sign_in is None or (sign_in.tenant, sign_in.app) != (tenant, app):
            return None
        now = self._now()
        if now >= sign_in.expires_at:
            return "expired", sign_in
        # Counted from the last poll that was answered, so that a device that never slows down still gets on. A clock
        # that was set back is no haste.
        if 0 <= now - sign_in.polled_at < INTERVAL - _TOLERANCE:
            return "too fast", sign_in
        sign_in.polled_at = now
        if sign_in.open:
            return "pending", sign_in
        self._forget(key)
        return ("declined" if sign_in.declined else "done"), sign_in

    def _forget_expired(self) -> None:
        now = self._now()
        while self._by_device:
            key = next(iter(self._by_device))
            if now < self._by_device[key].expires_at + _REMEMBERED:
                break
            self._forget(key)

    def _forget(self, key: bytes) -> None:
        gone = self._by_device.pop(key)
        self._by_user_code.pop(gone.user_code, None)
        app = gone.tenant, gone.app
        self._of_app[app] -= 1
        if not self._of_app[app]:
            del self._of_app[app]


def _hash(device_code: str) -> bytes:
    return hashlib.sha256(device_code.encode("utf-8", "surrogatepass")).digest()
