"""Environment: what a client needs to call a server, as the variables that the pages in docs/clients read.

``AZURE_…`` are those of azure-identity's EnvironmentCredential; the others are presenced's own.
"""

from pathlib import Path


def environment(
    http: str, https: str | None, tenant: str, app: str | None, secret: str | None, authority: Path | None
) -> dict[str, str | None]:
    """The variables; None for what there is not.

    ``http`` and ``https`` are the server's addresses without a path, ``authority`` the file with the certificate
    authority that clients have to trust.
    """
    return {
        "GRAPH_BASE_URL": f"{http}/v1.0",
        "GRAPH_BASE_URL_TLS": f"{https}/v1.0" if https else None,
        "AZURE_TENANT_ID": tenant,
        "AZURE_CLIENT_ID": app,
        "AZURE_CLIENT_SECRET": secret,
        "AZURE_AUTHORITY_HOST": https,
        "PRESENCED_CA_FILE": str(authority) if https and authority else None,
    }
