"""Jws: one signed token, taken apart strictly. What its claims mean is for those who ask (tokens.py, ...)."""

import json
from collections.abc import Collection
from typing import Any, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.util import urlsafe_b64decode

from presenced.presence.record import guid

MAX_TOKEN = 16 * 1024
_END_OF_TIME = 253402300799  # 9999-12-31T23:59:59Z, the last instant that fits a date


class Malformed(Exception):
    """This is no JWS in compact form with JSON objects for header and claims, or not one that is accepted here."""


class Jws(NamedTuple):
    """A token whose form is right. Nothing in it is true before ``signed_by`` says so."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    @classmethod
    def parse(cls, text: str) -> "Jws":
        """Take a token apart. Raises Malformed."""
        if len(text) > MAX_TOKEN:
            raise Malformed("too long")
        try:
            header, claims, signature = text.encode("ascii").split(b".")
            urlsafe_b64decode(signature)
            parsed = cls(text, _json_object(header), _json_object(claims))
        except (ValueError, RecursionError) as error:
            raise Malformed("not a JWS") from error
        # An extension that must be understood (RFC 7515 section 4.1.11): none is. b64 is the one that libraries act on
        # (RFC 7797), and it changes what is signed, so it is refused also where the sender did not list it as critical.
        if "crit" in parsed.header or "b64" in parsed.header:
            raise Malformed("an extension is critical")
        return parsed

    @property
    def kid(self) -> str | None:
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else None

    def signed_by(self, key: Key, algorithms: Collection[str]) -> bool:
        """Whether ``key`` signed this with one of ``algorithms``.

        The key is the verifier's own; keys and their addresses in the header (jwk, jku, x5c, x5u) are never looked at.
        """
        algorithm = self.header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in algorithms:
            return False
        try:
            # joserfc checks that the key's type, curve and own alg and use fit the algorithm.
            jws.deserialize_compact(self.text, key, registry=_Registry(algorithms=algorithms))
        except (JoseError, UnsupportedAlgorithm, ValueError, TypeError):
            return False
        return True

    def instant(self, claim: str) -> float | None:
        """A claim that is an instant (RFC 7519 NumericDate), None if it is not there. Raises Malformed."""
        if claim not in self.claims:
            return None
        value = self.claims[claim]
        # bool is an int to Python; NaN fails the comparison.
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _END_OF_TIME:
            raise Malformed(f"{claim} is not an instant")
        return float(value)

    def text_claim(self, claim: str) -> str | None:
        """A claim that is a printable text with something in it, else None."""
        value = self.claims.get(claim)
        return value if isinstance(value, str) and value and value.isprintable() else None

    def guid_claim(self, claim: str) -> str | None:
        """A claim that is a GUID, in lower case, else None."""
        return guid(self.text_claim(claim) or "")


class _Registry(jws.JWSRegistry):
    # Wide enough for a header with a certificate chain; parse() bounds the whole.
    max_header_length = MAX_TOKEN
    max_signature_length = MAX_TOKEN

    def __init__(self, algorithms: Collection[str]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)


def _json_object(segment: bytes) -> dict[str, Any]:
    value = json.loads(urlsafe_b64decode(segment).decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # RFC 7519 section 4: refuse a claim that is there twice, since another reader may take the other one.
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name is there twice")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
