"""Environment: what a client needs to call a server, as the variables that the pages in docs/clients read.

``AZURE_…`` are those of azure-identity's EnvironmentCredential; the others are presenced's own.
"""

from pathlib import Path

NAMES = (
    "GRAPH_BASE_URL",
    "GRAPH_BASE_URL_TLS",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_AUTHORITY_HOST",
    "PRESENCED_CA_FILE",
)


def environment(
    http: str, https: str | None, tenant: str, app: str | None, secret: str | None, authority: Path | None
) -> dict[str, str | None]:
    """The variables; None for what there is not.

    ``http`` and ``https`` are the server's addresses without a path, ``authority`` the file with the certificate
    authority that clients have to trust.
    """
    base_url_tls = f"{https}/v1.0" if https else None
    ca_file = str(authority) if https and authority else None
    values = (f"{http}/v1.0", base_url_tls, tenant, app, secret, https, ca_file)
    return dict(zip(NAMES, values, strict=True))
