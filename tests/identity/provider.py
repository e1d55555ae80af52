"""A real OpenID provider on loopback, as small as one can be, that counts what it is asked."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jws
from joserfc.jwk import ECKey, Key, RSAKey

from .forger import ADELE, START

AUDIENCE = "api://presenced"


class Provider:
    """Discovery and JWKS. ``start`` it; what it answers can be changed at any time."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.keys: dict[str, Key] = {"first": _rsa("first")}
        self.extra_keys: list[Any] = []
        self.document: dict[str, Any] = {}
        self.failing = False
        self.delay = 0.0
        self.answer_keys: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
        self.issuer = ""
        app = web.Application()
        app.router.add_get("/realm/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/realm/keys", self._jwks)
        self._server = TestServer(app)

    async def start(self) -> None:
        await self._server.start_server()
        self.issuer = str(self._server.make_url("/realm"))
        self.document = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}

    async def stop(self) -> None:
        await self._server.close()

    def add(self, kid: str, kind: str = "RSA") -> None:
        self.keys[kid] = _rsa(kid) if kind == "RSA" else ECKey.generate_key(kind, {"kid": kid})

    def claims(self, *without: str, **changes: Any) -> dict[str, Any]:
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "iat": int(START),
            "exp": int(START) + 600,
            "azp": "some-client",
            "sub": ADELE,
            "scp": "Presence.Read",
        }
        return {name: value for name, value in (claims | changes).items() if name not in without}

    def token(self, claims: dict[str, Any] | None = None, kid: str = "first", alg: str = "RS256", **header: Any) -> str:
        protected = {"alg": alg, "kid": kid} | header
        return jws.serialize_compact(
            protected, json.dumps(claims or self.claims()), self.keys[kid], registry=_Anything(algorithms=[alg])
        )

    async def _discovery(self, request: web.Request) -> web.StreamResponse:
        self.asked["discovery"] += 1
        if self.failing:
            return web.Response(status=500)
        return web.json_response(self.document)

    async def _jwks(self, request: web.Request) -> web.StreamResponse:
        self.asked["keys"] += 1
        await asyncio.sleep(self.delay)
        if self.failing:
            return web.Response(status=500)
        if self.answer_keys is not None:
            return await self.answer_keys(request)
        keys = [key.as_dict(private=False) for key in self.keys.values()]
        return web.json_response({"keys": [*self.extra_keys, *keys]})


class _Anything(jws.JWSRegistry):
    def check_header(self, header: dict[str, Any]) -> None:
        pass


def _rsa(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid})
