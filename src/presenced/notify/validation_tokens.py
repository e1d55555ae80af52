"""The ``validationTokens`` of change notifications with resource data: proof that this server sent them.

The rule (change-notifications-with-resource-data, spec A.5): one JWT for each distinct app and tenant in a collection.
Receivers check its signature, times, audience (the subscriber's app id), issuer, and that its caller is Microsoft Graph
Change Tracking. Microsoft's documentation has two forms of them, v1.0 and v2.0, and its samples and helpers ask for
claims of either: the caller in ``appid`` or in ``azp``, the issuer of either form. So a token here has both callers,
and its issuer is a setting. ``aio`` and ``rh``, which only Entra can read, are left out.

Graph's tokens live for 24 hours and 5 minutes. Entra dates tokens 5 minutes back, for receivers whose clocks are late;
so do these, since Microsoft's Java helper refuses a token that begins one second in its future.
"""

import uuid
from collections.abc import Iterable
from secrets import token_urlsafe
from typing import Any, NamedTuple

from presenced.clock import Clock
from presenced.identity.issuer import LocalIssuer
from presenced.identity.keys import LONGEST_LIFETIME

CHANGE_TRACKING = "0bf30f3b-4a52-48df-9a82-234910c4a086"
"""The app id of Microsoft Graph Change Tracking, which receivers insist on."""

DEFAULT_ISSUER = "https://sts.windows.net/{tid}/"
"""The only issuer that Microsoft's documented samples accept, and the first that its .NET helper tries."""

LIFETIME = LONGEST_LIFETIME
BEGUN = 300
MOST_KEPT = 10_000


class _Kept(NamedTuple):
    token: str
    kid: str
    made: float


class ValidationTokens:
    """Makes validation tokens, and gives the same one out for half of its life.

    ``issuer_format`` has ``{tid}`` where the tenant's id goes, and may begin with ``{base}``, which is ``base_url``,
    the address clients know this server by. Raises ValueError if it does not fit.
    """

    def __init__(
        self, issuer: LocalIssuer, clock: Clock, issuer_format: str = DEFAULT_ISSUER, base_url: str | None = None
    ) -> None:
        self._issuer = issuer
        self._clock = clock
        self._format = _based(issuer_format, base_url)
        self._kept: dict[tuple[str, str], _Kept] = {}

    def issuer(self, tenant: str) -> str:
        """The issuer of what goes to this tenant's apps."""
        return self._format.replace("{tid}", tenant)

    def all(self, subscribers: Iterable[tuple[str, str]]) -> list[str]:
        """One token for each distinct tenant and app, in the order of their first appearance."""
        return [self.token(tenant, app_id) for tenant, app_id in dict.fromkeys(subscribers)]

    def token(self, tenant: str, app_id: str) -> str:
        """The token for what goes to this app of this tenant."""
        now, kid = self._clock.now(), self._issuer.kid
        kept = self._kept.pop((tenant, app_id), None)
        # A clock set back makes a token one of the future; a new key may mean that the old one is revoked.
        if kept is None or kept.kid != kid or not kept.made <= now < kept.made + LIFETIME / 2:
            kept = _Kept(self._issuer.sign(self._claims(tenant, app_id), LIFETIME, BEGUN), kid, now)
        if len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]  # the one not used for longest
        self._kept[tenant, app_id] = kept
        return kept.token

    def _claims(self, tenant: str, app_id: str) -> dict[str, Any]:
        issuer = self.issuer(tenant)
        # Change Tracking's service principal: another object in each tenant, and always the same one there.
        principal = str(uuid.uuid5(uuid.UUID(CHANGE_TRACKING), tenant))
        return {
            "aud": app_id,
            "iss": issuer,
            "appid": CHANGE_TRACKING,
            "appidacr": "2",
            "azp": CHANGE_TRACKING,
            "azpacr": "2",
            "idp": issuer,
            "oid": principal,
            "sub": principal,
            "tid": tenant,
            "uti": token_urlsafe(16),
            "ver": "2.0" if issuer.endswith("/v2.0") else "1.0",
        }


def _based(issuer_format: str, base_url: str | None) -> str:
    """The format with nothing but ``{tid}`` left to fill in."""
    if "{base}" in issuer_format and base_url is None:
        raise ValueError(f"The issuer {issuer_format!r} begins with this server's address: set the public URL.")
    based = issuer_format.replace("{base}", (base_url or "").rstrip("/"))
    rest = based.replace("{tid}", "")
    # Without the tenant's id in it no helper of Microsoft's takes it.
    if rest == based or "{" in rest or "}" in rest:
        raise ValueError(f"The issuer {issuer_format!r} must have {{tid}} in it, and no braces but those and {{base}}.")
    return based
