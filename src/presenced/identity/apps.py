"""Apps and Passwords: how applications and people prove who they are to the token endpoint."""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from presenced.identity import redirect_uris as uris
from presenced.identity.passwords import check_kept, hash_password, verify_password
from presenced.identity.redirect_uris import Platform
from presenced.presence.record import guid
from presenced.store.base import Store


class App(msgspec.Struct, frozen=True, omit_defaults=True):
    """An application of one tenant (Entra: an app registration and its service principal).

    ``principal`` is the service principal's object id, the ``oid`` of its own tokens. ``secrets`` are SHA-256 in hex.
    A plain hash is right for them: a generated secret has 256 random bits, so no guessing is made cheaper by its speed
    (a secret that a user chose is as weak as that choice). ``certificates`` are X.509 certificates, DER. With
    ``sign_in`` people may sign in to it without the app itself proving anything: a public client.
    ``redirect_uris`` are where a browser may be sent back to (redirect_uris.py): to a program on the person's machine
    if the app is a public client, else to a server. ``spa_redirect_uris`` are pages that redeem codes by themselves.
    """

    id: str
    name: str
    tenant: str
    principal: str
    application_permissions: tuple[str, ...] = ()
    delegated_permissions: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    certificates: tuple[bytes, ...] = ()
    sign_in: bool = False
    redirect_uris: tuple[str, ...] = ()
    spa_redirect_uris: tuple[str, ...] = ()

    def platforms_of(self, uri: str) -> frozenset[Platform]:
        """As which platforms' the app has registered this redirect URI; none if it has not."""
        platforms: set[Platform] = set()
        if any(uris.matches(uri, registered, any_port=True) for registered in self.spa_redirect_uris):
            platforms.add("spa")
        if any(uris.matches(uri, registered, any_port=self.sign_in) for registered in self.redirect_uris):
            platforms.add("native" if self.sign_in else "web")
        return frozenset(platforms)


class Apps:
    """All applications of all tenants. Make it with ``await Apps.load(store)``."""

    COLLECTION = "apps"

    def __init__(self, store: Store, apps: dict[tuple[str, str], App]) -> None:
        self._store = store
        self._apps = apps
        self._built_in: dict[str, App] = {}

    @classmethod
    async def load(cls, store: Store) -> "Apps":
        apps = cls(store, {})
        await apps.reload()
        return apps

    async def reload(self) -> None:
        """Read them from the store again: others have written there."""
        documents = await self._store.documents(self.COLLECTION)
        apps = (msgspec.json.decode(document, type=App) for document in documents.values())
        self._apps = {(app.tenant, app.id): app for app in apps}

    def get(self, tenant: str, app_id: str) -> App | None:
        """The application with this id, in any letter case."""
        app_id = app_id.lower()
        if (built_in := self._built_in.get(app_id)) is not None:
            return msgspec.structs.replace(built_in, tenant=tenant)
        return self._apps.get((tenant, app_id))

    def build_in(self, app: App) -> None:
        """Have every tenant know an application that is a part of the server. It is kept nowhere and in no list."""
        self._built_in[app.id] = app

    def list(self, tenant: str) -> "list[App]":
        """The applications of a tenant, by name."""
        return sorted((app for app in self._apps.values() if app.tenant == tenant), key=lambda app: (app.name, app.id))

    async def add(
        self,
        tenant: str,
        name: str,
        *,
        application: Iterable[str] = (),
        delegated: Iterable[str] = (),
        app_id: str | None = None,
        secret: str | None = None,
        certificates: Iterable[bytes] = (),
        sign_in: bool = False,
        redirect_uris: Iterable[str] = (),
        spa_redirect_uris: Iterable[str] = (),
        secret_hashes: Iterable[str] = (),
        principal: str | None = None,
        make_secret: bool = True,
    ) -> tuple[App, str | None]:
        """Register an application, or replace the one with this ``app_id``.

        ``secret_hashes`` are secrets as ``App.secrets`` has them. Returns it and its secret: the given one, else a new
        one; None for an app that was given none and has certificates, ``sign_in`` or nothing but pages, and if none
        may be made. Raises ValueError for what is no GUID, no RSA certificate or no
        redirect URI.
        """
        own_id = str(uuid.uuid4()) if app_id is None else guid(app_id)
        if own_id is None:
            raise ValueError(f"An application's id is a GUID, and {app_id!r} is none.")
        before = self.get(tenant, own_id)
        certificates = tuple(_rsa_certificate(certificate) for certificate in certificates)
        addresses = _redirect_uris(redirect_uris, native=sign_in)
        pages = _redirect_uris(spa_redirect_uris, native=False)
        needs_secret = not certificates and not sign_in and (addresses or not pages)
        if secret is None and needs_secret and make_secret:
            secret = new_secret()
        app = App(
            id=own_id,
            name=name,
            tenant=tenant,
            principal=principal or (before.principal if before else str(uuid.uuid4())),
            application_permissions=tuple(application),
            delegated_permissions=tuple(delegated),
            secrets=(*(() if secret is None else (_hash(secret),)), *secret_hashes),
            certificates=certificates,
            sign_in=sign_in,
            redirect_uris=addresses,
            spa_redirect_uris=pages,
        )
        await self._keep(app)
        return app, secret

    async def set_secret(self, app: App, secret: str | None = None) -> str:
        """Give an application a new secret, which takes the place of all it had, and return it."""
        secret = secret or new_secret()
        newest = self.get(app.tenant, app.id) or app
        await self._keep(msgspec.structs.replace(newest, secrets=(_hash(secret),)))
        return secret

    def verify_secret(self, app: App, secret: str) -> bool:
        """Whether this is a secret of the application."""
        given = _hash(secret)
        return any(hmac.compare_digest(given, kept) for kept in app.secrets)

    async def _keep(self, app: App) -> None:
        await self._store.put(self.COLLECTION, f"{app.tenant}/{app.id}", msgspec.json.encode(app))
        self._apps[app.tenant, app.id] = app


class Passwords:
    """The passwords of all persons. Make it with ``await Passwords.load(store)``."""

    COLLECTION = "passwords"

    _SIGNED_OUT = "signed-out"

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, str] = {}
        self._signed_out: dict[str, str] = {}

    @classmethod
    async def load(cls, store: Store) -> "Passwords":
        passwords = cls(store)
        await passwords.reload()
        return passwords

    async def reload(self) -> None:
        """Read them from the store again: others have written there."""
        self._kept, self._signed_out = [
            {key: text.decode() for key, text in (await self._store.documents(name)).items()}
            for name in (self.COLLECTION, self._SIGNED_OUT)
        ]

    async def sign_out(self, tenant: str, person: str) -> None:
        """End whatever goes by the person's stamp, durably."""
        key, mark = f"{tenant}/{person}", secrets.token_urlsafe(8)
        await self._store.put(self._SIGNED_OUT, key, mark.encode())
        self._signed_out[key] = mark

    async def set(self, tenant: str, person: str, password: str | None) -> None:
        """Give a person a password, or take it away (None). Raises ValueError for one that is empty or too long."""
        key = f"{tenant}/{person}"
        if password is None:
            await self._store.put(self.COLLECTION, key, None)
            self._kept.pop(key, None)
            return
        await self.set_all(tenant, [person], password)

    async def set_all(self, tenant: str, persons: Iterable[str], password: str) -> None:
        """Give several persons one password, hashed once: that they share it is no secret to whoever sets it."""
        kept = await hash_password(password)
        for person in persons:
            key = f"{tenant}/{person}"
            await self._store.put(self.COLLECTION, key, kept.encode())
            self._kept[key] = kept

    async def set_hash(self, tenant: str, person: str, kept: str) -> None:
        """Give a person the password of which this was kept. Raises ValueError for what never was."""
        check_kept(kept)
        await self._store.put(self.COLLECTION, f"{tenant}/{person}", kept.encode())
        self._kept[f"{tenant}/{person}"] = kept

    def kept(self, tenant: str, person: str) -> str | None:
        """What is kept of a person's password."""
        return self._kept.get(f"{tenant}/{person}")

    async def verify(self, tenant: str, person: str | None, password: str) -> bool:
        """Whether this is the person's password. An unknown person (also None) takes as long as a wrong password."""
        return await verify_password(password, self._kept.get(f"{tenant}/{person}"))

    def stamp(self, tenant: str, person: str) -> str:
        """Which password a person has now, without saying anything about it: another one, another stamp.

        What someone was given for their password (codes, refresh tokens, a browser's session, tokens to be exchanged)
        ends when it changes, and when the person is signed out.
        """
        key = f"{tenant}/{person}"
        return _hash(self._kept.get(key, "") + self._signed_out.get(key, ""))[:32]


def new_secret() -> str:
    """256 random bits, in letters that need no escaping anywhere."""
    return secrets.token_urlsafe(32)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _redirect_uris(given: Iterable[str], *, native: bool) -> tuple[str, ...]:
    checked = tuple(dict.fromkeys(uris.check(uri, native=native) for uri in given))
    if len(checked) > uris.MOST:
        raise ValueError(f"An application has at most {uris.MOST} redirect URIs.")
    return checked


def _rsa_certificate(der: bytes) -> bytes:
    if not isinstance(x509.load_der_x509_certificate(der).public_key(), RSAPublicKey):
        raise ValueError("An application's certificate holds an RSA key, as Entra's do.")
    return der
