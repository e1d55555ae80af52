"""The sample tenant: a dozen people in believable states, and two apps whose credentials everybody knows.

It is a seed, sample.toml. The ids are fixed and the credentials documented (docs/sample.md), as Azurite's are, so that
examples work word for word.
"""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

from presenced.clock import Clock
from presenced.emulator.baseline import Baseline
from presenced.emulator.restorer import Restorer
from presenced.emulator.seed import Seed
from presenced.emulator.seed_file import read
from presenced.emulator.seed_record import profile_of
from presenced.identity.apps import App, Apps, Passwords, new_secret
from presenced.identity.identity import Identity, Suggested
from presenced.store.base import Store

TENANT = "5ca1ab1e-0000-4000-8000-000000000001"
SERVICE_APP = "5ca1ab1e-0000-4000-8000-00000000a001"
SIGN_IN_APP = "5ca1ab1e-0000-4000-8000-00000000a002"
SECRET = "presenced-sample-secret"  # noqa: S105  public on purpose, refused beyond loopback
PASSWORD = "presenced-sample-password"  # noqa: S105  likewise
DOMAIN = "sample.example"


class Shown(NamedTuple):
    """Credentials to be shown once, because they were made up just now."""

    service_secret: str
    sign_in_secret: str
    password: str


@cache
def seed() -> Seed:
    """The sample as a seed."""
    found, _ = read(files(__package__).joinpath("sample.toml").read_bytes(), "toml")
    return found


def people() -> tuple[str, ...]:
    """The ids of the sample's people."""
    return tuple(person.id for tenant in seed().tenants for person in tenant.people if person.id is not None)


async def fill(store: Store, identity: Identity, clock: Clock) -> Baseline | None:
    """Put the sample into the folder, once: what was changed since stays changed. What was put in, if anything was."""
    if identity.apps.get(TENANT, SERVICE_APP) is not None:
        return None
    baseline = await Baseline.of(seed(), clock.now())
    await Restorer(store).add(baseline, clock.now())
    await identity.reload()
    return baseline


async def hide(apps: Apps, passwords: Passwords) -> Shown | None:
    """Replace credentials that everybody knows, before the folder is served beyond loopback; None if there are none."""
    known = [app for app in (apps.get(TENANT, SERVICE_APP), apps.get(TENANT, SIGN_IN_APP)) if app is not None]
    if not any(apps.verify_secret(app, SECRET) for app in known):
        return None
    password = new_secret()
    known_by_all = [person for person in people() if await passwords.verify(TENANT, person, PASSWORD)]
    await passwords.set_all(TENANT, known_by_all, password)
    secrets = {app.id: await apps.set_secret(app) for app in known}
    return Shown(secrets.get(SERVICE_APP, ""), secrets.get(SIGN_IN_APP, ""), password)


def suggest(apps: Apps, tenant: str) -> Suggested:
    """The people to choose from on the sign-in page, while their password is the documented one."""
    app = apps.get(TENANT, SIGN_IN_APP) if tenant == TENANT else None
    if app is None or not has_known_secret(apps, app):
        return Suggested()
    return Suggested([profile_of(person) for tenant in seed().tenants for person in tenant.people], PASSWORD)


def has_known_secret(apps: Apps, app: App) -> bool:
    """Whether ``app`` still has the documented secret."""
    return app.tenant == TENANT and apps.verify_secret(app, SECRET)
