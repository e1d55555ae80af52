"""What the owner of a data folder may ask about apps."""

import msgspec

from presenced.identity.apps import App, Apps


class AppRequest(msgspec.Struct):
    """An app to register; ``certificate`` is DER. Of a ``public`` one nothing is a secret (apps.py: ``sign_in``)."""

    name: str
    permissions: list[str]
    delegated: bool = False
    certificate: bytes | None = None
    public: bool = False
    redirect_uris: list[str] = []
    spa_redirect_uris: list[str] = []
    tenant: str | None = None

    @property
    def for_people(self) -> bool:
        """Whether the permissions are for use with a person signed in."""
        return self.delegated or self.public or bool(self.redirect_uris or self.spa_redirect_uris)


class AppShown(msgspec.Struct):
    """An app as lists show it, and once its secret."""

    id: str
    name: str
    tenant: str
    application_permissions: list[str]
    delegated_permissions: list[str]
    certificates: int
    secret: str | None = None
    public: bool = False
    redirect_uris: list[str] = []
    spa_redirect_uris: list[str] = []


async def add_app(apps: Apps, tenant: str, request: AppRequest) -> AppShown:
    """Register an app. Its secret is in the answer and nowhere else. Raises ValueError."""
    if not request.name.strip() or len(request.name) > 256:
        raise ValueError("An app's name has 1 to 256 characters.")
    app, secret = await apps.add(
        tenant,
        request.name,
        application=() if request.for_people else request.permissions,
        delegated=request.permissions if request.for_people else (),
        certificates=[] if request.certificate is None else [request.certificate],
        sign_in=request.public,
        redirect_uris=request.redirect_uris,
        spa_redirect_uris=request.spa_redirect_uris,
    )
    return show_app(app, secret)


def show_app(app: App, secret: str | None = None) -> AppShown:
    """An app as lists show it; ``secret`` only when it was made."""
    return AppShown(
        app.id,
        app.name,
        app.tenant,
        list(app.application_permissions),
        list(app.delegated_permissions),
        len(app.certificates),
        secret,
        app.sign_in,
        list(app.redirect_uris),
        list(app.spa_redirect_uris),
    )
