"""Baseline: a seed made ready to be put into a store: checked whole, and quickly put back again.

It is made in a store in memory by the same ways by which people, apps and calendars come into any store, so that what
those refuse, a seed cannot hold; and what is slow about it (passwords, calendars) is done once.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from presenced.calendar.calendars import Calendars
from presenced.calendar.content_lines import NotACalendar
from presenced.emulator.seed import MOST_PEOPLE, Seed, SeedApp, SeedPerson, SeedTenant
from presenced.emulator.seed_file import SeedWrong
from presenced.emulator.seed_lines import Path
from presenced.emulator.seed_record import PartWrong, instant_of, is_timed, record_of
from presenced.identity.apps import Apps, Passwords
from presenced.identity.directory import Directory, PersonChange
from presenced.identity.permissions import APPLICATION, DELEGATED
from presenced.identity.tenants import Tenants
from presenced.presence.calendar import has_run_out
from presenced.presence.record import Calendar, Record
from presenced.presence.refused import Refused
from presenced.store.memory import MemoryStore

COLLECTIONS = ("calendars", "tenants", "passwords", "signed-out", "refresh-tokens", "subscriptions", "apps")
"""What a seed decides, in the order it is put in. Of sign-ins and subscriptions it says that there are none."""

MOST_PASSWORDS = 200
"""Different ones in plain text: each takes a fifth of a second to keep."""

_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
_SECRET_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Made(NamedTuple):
    """A person of a baseline: what the seed says, and their calendar as it was worked out."""

    person: SeedPerson
    calendar: Calendar
    timed: bool

    def record(self, before: Record | None, now: float) -> Record:
        """What is known of them, put in at ``now``."""
        calendar = self.calendar
        record = record_of(self.person, before, calendar, now)
        if calendar.known_until is not None and has_run_out(record, now):
            # as one that has run out just now, so that it is worked out anew before anybody looks
            record = record_of(self.person, before, Calendar((), now, now), now)
        return record


class Baseline:
    """What a store holds when a seed was put in. Make it with ``await Baseline.of(seed, now)``."""

    def __init__(
        self,
        seed: Seed,
        home: str,
        documents: dict[str, dict[str, bytes]],
        people: dict[tuple[str, str], Made],
        secrets: dict[tuple[str, str], str],
    ) -> None:
        self.seed = seed
        self.home = home
        self.documents = documents
        self.people = people
        self.secrets = secrets
        """Of apps (tenant and id), those that the seed says in plain text."""

    @classmethod
    async def of(cls, seed: Seed, real: float) -> "Baseline":
        """Check a seed, put in at ``real`` (seconds since 1970 UTC), and make it ready. Raises SeedWrong."""
        making = _Making(seed, FixedClock(starts_at(seed, real)))
        await making.make()
        documents = {name: await making.store.documents(name) for name in COLLECTIONS}
        return cls(seed, making.tenants.home, documents, making.people, making.secrets)

    def check(self, now: float) -> None:
        """Raises Refused for a seed that cannot be put in at ``now``, such as one whose event has ended by then."""
        try:
            for made in self.people.values():
                if made.timed:
                    made.record(None, now)
        except PartWrong as wrong:
            person = made.person.user_principal_name or made.person.id
            where = "/".join(map(str, wrong.path))
            text = f"The seed cannot be put in at this time: {where} of {person}: {wrong.message}"
            raise Refused("InvalidArgument", text) from None


def starts_at(seed: Seed, real: float) -> float:
    """The instant at which a seed is put in: what it sets the clock to, or else the real one. Raises SeedWrong."""
    if seed.clock is None or seed.clock.now is None:
        return real
    with _at(("clock", "now")):
        return instant_of(seed.clock.now, (), real)


class FixedClock:
    """A clock that stands still: all of a seed is put in at one instant."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> float:
        return self._at


class _Making:
    """A seed on its way into a store in memory."""

    tenants: Tenants
    apps: Apps
    passwords: Passwords

    def __init__(self, seed: Seed, clock: FixedClock) -> None:
        self.seed = seed
        self.store = MemoryStore()
        self.people: dict[tuple[str, str], Made] = {}
        self.secrets: dict[tuple[str, str], str] = {}
        self._now = clock.now()
        self._directory = Directory(self.store, clock)
        self._calendars = Calendars(self.store, clock)
        self._by_password: dict[str, list[tuple[str, str]]] = {}

    async def make(self) -> None:
        homes = [number for number, tenant in enumerate(self.seed.tenants) if tenant.home] or [0]
        if len(homes) > 1:
            raise SeedWrong("One tenant is the home tenant, not two.", ("tenants", homes[1], "home"))
        if sum(len(tenant.people) for tenant in self.seed.tenants) > MOST_PEOPLE:
            raise SeedWrong(f"A seed has at most {MOST_PEOPLE} people.", ("tenants",))
        with _at(("tenants", homes[0], "id")):
            self.tenants = await Tenants.load(self.store, self.seed.tenants[homes[0]].id.lower())
        self.apps, self.passwords = await Apps.load(self.store), await Passwords.load(self.store)
        seen: set[str] = set()
        for number, tenant in enumerate(self.seed.tenants):
            path: Path = ("tenants", number)
            if tenant.id.lower() in seen:
                raise SeedWrong("There are two tenants with this id.", (*path, "id"))
            seen.add(tenant.id.lower())
            await self._tenant(tenant, path)
        for password, people in self._by_password.items():
            for of in {tenant for tenant, _ in people}:
                await self.passwords.set_all(of, [person for tenant, person in people if tenant == of], password)

    async def _tenant(self, tenant: SeedTenant, path: Path) -> None:
        for number, domain in enumerate(tenant.domains):
            if not _DOMAIN.fullmatch(domain):
                raise SeedWrong("This is no domain, such as example.com.", (*path, "domains", number))
            if self.tenants.find(domain) is not None:
                raise SeedWrong("Another tenant has this domain.", (*path, "domains", number))
        with _at((*path, "id")):
            await self.tenants.add(tenant.id, tenant.domains)
        for number, app in enumerate(tenant.apps):
            await self._app(tenant.id.lower(), app, (*path, "apps", number))
        for number, person in enumerate(tenant.people):
            await self._person(tenant.id.lower(), person, (*path, "people", number))

    async def _app(self, tenant: str, app: SeedApp, path: Path) -> None:
        app_id = (app.id or _made_id(tenant, "app", app.name)).lower()
        if self.apps.get(tenant, app_id) is not None:
            raise SeedWrong(f"The tenant has two apps with the {'id' if app.id else 'name'} of this.", path)
        for field, asked, known in (
            ("applicationPermissions", app.application_permissions, APPLICATION),
            ("delegatedPermissions", app.delegated_permissions, DELEGATED),
        ):
            for number, name in enumerate(asked):
                if name not in known:
                    there = f"There can be: {', '.join(known)}."
                    raise SeedWrong(
                        f"presenced knows no permission {name[:64]!r} here. {there}", (*path, field, number)
                    )
        for number, text in enumerate(app.secret_hashes):
            if not _SECRET_HASH.fullmatch(text):
                raise SeedWrong("This is no SHA-256 in hex.", (*path, "secretHashes", number))
        with _at(path):
            await self.apps.add(
                tenant,
                app.name,
                application=app.application_permissions,
                delegated=app.delegated_permissions,
                app_id=app_id,
                secret=app.secret,
                secret_hashes=app.secret_hashes,
                certificates=[_der(text, (*path, "certificates", at)) for at, text in enumerate(app.certificates)],
                sign_in=app.sign_in,
                redirect_uris=app.redirect_uris,
                spa_redirect_uris=app.spa_redirect_uris,
                principal=(app.principal or _made_id(tenant, "principal", app_id)).lower(),
                make_secret=False,
            )
        if app.secret is not None:
            self.secrets[tenant, app_id] = app.secret

    async def _person(self, tenant: str, person: SeedPerson, path: Path) -> None:
        name = person.user_principal_name
        key = (person.id or _made_id(tenant, "person", (name or "").lower())).lower()
        _check_choices(person, path)
        if (tenant, key) in self.people:
            raise SeedWrong(f"The tenant has two people with the {'id' if person.id else 'name'} of this.", path)
        with _at(path):
            change = PersonChange(name, person.display_name, person.mail, person.job_title)
            await self._directory.add(tenant, key, change)
            await self.store.change(tenant, key, self._record(person))
            if person.password_hash is not None:
                await self.passwords.set_hash(tenant, key, person.password_hash)
        if person.password is not None:
            self._by_password.setdefault(person.password, []).append((tenant, key))
            if len(self._by_password) > MOST_PASSWORDS:
                raise SeedWrong(
                    f"More than {MOST_PASSWORDS} different passwords would take minutes to keep. Give people the same "
                    "one, or passwordHash.",
                    (*path, "password"),
                )
        calendar = Calendar() if person.calendar is None else await self._calendar(tenant, key, person.calendar, path)
        self.people[tenant, key] = Made(person, calendar, is_timed(person))

    async def _calendar(self, tenant: str, person: str, text: str, path: Path) -> Calendar:
        try:
            await self._calendars.put(tenant, person, text.encode("utf-8", "replace"), "seed")
        except NotACalendar as error:
            raise SeedWrong(str(error), (*path, "calendar")) from None
        (record,) = await self.store.read(tenant, [person])
        assert record is not None
        return record.calendar

    def _record(self, person: SeedPerson) -> Callable[[Record | None], Record]:
        return lambda before: record_of(person, before, Calendar(), self._now)


@contextmanager
def _at(path: Path) -> Iterator[None]:
    """Turn what others refuse into what is wrong at ``path`` of a seed."""
    try:
        yield
    except PartWrong as error:
        raise SeedWrong(error.message, (*path, *error.path)) from None
    except Refused as error:
        raise SeedWrong(error.message, path) from None
    except ValueError as error:
        raise SeedWrong(f"{error}", path) from None


def _check_choices(person: SeedPerson, path: Path) -> None:
    """Raises SeedWrong for a person said by nothing, or one thing said twice."""
    if person.id is None and person.user_principal_name is None:
        raise SeedWrong("A person has an id or a userPrincipalName.", path)
    if (person.calendar is not None) + (person.calendar_file is not None) + bool(person.events) > 1:
        raise SeedWrong("A person has one of calendar, calendarFile and events.", path)
    if person.calendar_file is not None:
        raise SeedWrong(
            "Only a seed that is read from a file may name files: send the text as calendar instead.",
            (*path, "calendarFile"),
        )
    if person.password is not None and person.password_hash is not None:
        raise SeedWrong("A person has one of password and passwordHash.", (*path, "passwordHash"))


def _der(pem: str, path: Path) -> bytes:
    try:
        return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
    except ValueError:
        raise SeedWrong("This is no certificate in PEM.", path) from None


def _made_id(tenant: str, kind: str, name: str) -> str:
    """An id that is always the same for the same name."""
    return str(uuid.uuid5(uuid.UUID(tenant), f"{kind}/{name}"))
