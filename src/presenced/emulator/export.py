"""Export: what a store holds, written as a seed. Instants are durations from now, so that it is good at any time.

Secrets and passwords are in it as they are kept: as hashes. Subscriptions, sign-ins and deliveries are not.
"""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from presenced.calendar.calendars import Calendars
from presenced.emulator.seed import Seed, SeedApp, SeedPerson, SeedTenant
from presenced.emulator.seed_record import person_of
from presenced.identity.apps import App
from presenced.identity.identity import Identity
from presenced.identity.tenants import Tenant
from presenced.store.base import Store

_AT_ONCE = 1000


async def export(store: Store, identity: Identity, calendars: Calendars, now: float) -> Seed:
    """What is known at ``now`` (seconds since 1970 UTC). Raises StoreUnavailable, NotACalendar."""
    tenants = sorted(identity.tenants.list(), key=lambda tenant: (not tenant.home, tenant.id))
    return Seed(tenants=tuple([await _tenant(tenant, store, identity, calendars, now) for tenant in tenants]))


async def _tenant(tenant: Tenant, store: Store, identity: Identity, calendars: Calendars, now: float) -> SeedTenant:
    people: list[SeedPerson] = []
    after = ""
    while portion := await store.people(tenant.id, after, _AT_ONCE):
        after = portion[-1][0]
        for person, record in portion:
            calendar = await calendars.text(tenant.id, person)
            people.append(
                person_of(
                    person,
                    record,
                    now,
                    password_hash=identity.passwords.kept(tenant.id, person),
                    calendar=None if calendar is None else calendar.decode("utf-8", "replace"),
                )
            )
    return SeedTenant(
        id=tenant.id,
        home=tenant.home,
        domains=tenant.domains,
        apps=tuple(_app(app) for app in identity.apps.list(tenant.id)),
        people=tuple(people),
    )


def _app(app: App) -> SeedApp:
    return SeedApp(
        id=app.id,
        name=app.name,
        principal=app.principal,
        secret_hashes=app.secrets,
        certificates=tuple(
            x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM).decode() for one in app.certificates
        ),
        application_permissions=app.application_permissions,
        delegated_permissions=app.delegated_permissions,
        sign_in=app.sign_in,
        redirect_uris=app.redirect_uris,
        spa_redirect_uris=app.spa_redirect_uris,
    )
