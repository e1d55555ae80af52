"""Which tenant a request's path means."""

from starlette.requests import Request

from presenced.identity.entra_errors import personal_accounts, tenant_not_found
from presenced.identity.identity import Identity
from presenced.identity.tenants import PERSONAL_ACCOUNTS


def tenant_of(identity: Identity, request: Request) -> str:
    """The id of the tenant in the path, by id, domain, ``common`` or ``organizations``. Raises EntraError."""
    spelling: str = request.path_params["tenant"]
    if spelling.lower() in ("consumers", PERSONAL_ACCOUNTS):
        raise personal_accounts()
    tenant = identity.tenants.find(spelling)
    if tenant is None:
        raise tenant_not_found(spelling)
    return tenant
