"""Passwords: kept as scrypt hashes, checked in a time that does not tell who exists."""

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple, Unpack

# OWASP's password storage sheet offers this set for 16 MiB a hash. The set is kept with each hash, so it can be raised.
_N, _R, _P = 2**14, 8, 5
_MAX_MEMORY = 64 * 1024 * 1024
LONGEST = 1024

_KEPT = re.compile(r"scrypt\$(\d{1,6})\$([1-9]\d?)\$([1-9]\d?)\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=", re.ASCII)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# scrypt is slow on purpose and lets go of the GIL: two at a time, so that guessing cannot take every core.
_threads = ThreadPoolExecutor(2, thread_name_prefix="scrypt")


async def hash_password(password: str) -> str:
    """The text to keep for ``password``: scheme, parameters, salt and hash. Raises ValueError: empty or too long."""
    if not 0 < len(password) <= LONGEST:
        raise ValueError(f"A password has 1 to {LONGEST} characters.")
    return await _in_thread(_hash, password)


async def verify_password(password: str, kept: str | None) -> bool:
    """Whether ``kept`` was made from ``password``; without ``kept``, no, after as long a time."""
    if len(password) > LONGEST:
        return False
    return await _in_thread(_matches, password, kept or _DECOY)


def check_kept(kept: str) -> None:
    """Raises ValueError unless ``kept`` is what ``hash_password`` makes or made, so that checking it costs no more."""
    found = _KEPT.fullmatch(kept)
    if found is None or not (1 < int(found[1]) <= _N and int(found[1]).bit_count() == 1):
        raise ValueError("This is no password hash of presenced's.")
    if int(found[2]) > _R or int(found[3]) > _P:
        raise ValueError("This password hash costs more than presenced spends on one.")


def _hash(password: str) -> str:
    salt = secrets.token_bytes(16)
    return _encode(salt, _scrypt(password, salt, _N, _R, _P))


def _matches(password: str, kept: str) -> bool:
    _, n, r, p, salt, expected = kept.split("$")
    actual = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(actual, base64.b64decode(expected))


async def _in_thread(work: Callable[[Unpack[Ts]], T], *arguments: *Ts) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work, *arguments)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # surrogatepass: a lone surrogate, which JSON can carry, is a wrong password rather than a crash.
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=_MAX_MEMORY, dklen=32)


def _encode(salt: bytes, digest: bytes) -> str:
    return f"scrypt${_N}${_R}${_P}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


# A hash of nothing: what a guess at a person without a password is compared with.
_DECOY = _encode(secrets.token_bytes(16), secrets.token_bytes(32))
