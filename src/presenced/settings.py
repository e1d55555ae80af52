"""Settings: every option once, with its default and what it means.

From this one definition come the command-line flags, the PRESENCED_… environment variables, the keys of presenced.toml
and docs/configuration.md. Precedence: flag, environment, file, default.
"""

from pathlib import Path
from typing import Annotated, Any, get_type_hints

import msgspec
import platformdirs
from msgspec import Meta

from presenced.identity.external import ExternalIssuer
from presenced.notify.validation_tokens import DEFAULT_ISSUER


def _default_data() -> Path:
    return Path(platformdirs.user_data_dir("presenced"))


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a presenced behaves. A field ``a_b`` with the key ``a.b`` is the flag ``--a-b`` and ``PRESENCED_A_B``."""

    data: Annotated[
        Path,
        Meta(
            description="The folder that holds everything: state, keys, certificates.",
            extra={"shown": "the user's data folder, such as ~/.local/share/presenced"},
        ),
    ] = msgspec.field(default_factory=_default_data)
    host: Annotated[str, Meta(description="The address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(description="The port for plain HTTP; 0 picks a free one.", ge=0, le=65535)] = 8080
    tls: Annotated[bool, Meta(description="Listen for HTTPS too, on --tls-port.")] = False
    tls_port: Annotated[
        int, Meta(description="The port for HTTPS; 0 picks a free one.", ge=0, le=65535, extra={"key": "tls-port"})
    ] = 8443
    tls_cert: Annotated[
        Path | None,
        Meta(
            description="A certificate chain (PEM) to use instead of the development one made for localhost.",
            extra={"key": "tls-cert"},
        ),
    ] = None
    tls_key: Annotated[
        Path | None, Meta(description="The private key (PEM) of --tls-cert.", extra={"key": "tls-key"})
    ] = None
    sample: Annotated[bool, Meta(description="Fill the folder with a sample tenant of people and apps, once.")] = False
    seed: Annotated[
        Path | None,
        Meta(
            description="A file (TOML, YAML or JSON) that says what a new folder is filled with, and what a reset goes "
            "back to: tenants, apps, people and their presence."
        ),
    ] = None
    control: Annotated[
        bool,
        Meta(
            description="Let tests control the server under /presenced: its clock, what it holds. For this machine "
            "only, or with --admin-token. Never for a server that people rely on."
        ),
    ] = False
    admin_token: Annotated[
        str | None,
        Meta(
            description="What other machines must send as a bearer token to use /presenced. Better given as a variable "
            "than as a flag, which everybody on the machine can read.",
            extra={"key": "admin-token"},
        ),
    ] = None
    public_url: Annotated[
        str | None,
        Meta(
            description="The https://host[:port] that clients use, when it is not the address listened on "
            "(behind a proxy). Used in the sign-in metadata and to check client assertions.",
            extra={"key": "public-url"},
        ),
    ] = None
    throttle_presence: Annotated[
        int,
        Meta(
            description="Requests to presence per 30 seconds, for each application in each tenant; 0 is no limit.",
            ge=0,
            le=1_000_000,
            extra={"key": "throttle.presence"},
        ),
    ] = 1500
    throttle_subscriptions: Annotated[
        bool,
        Meta(
            description="Apply Graph's limits on requests to subscriptions.",
            extra={"key": "throttle.subscriptions"},
        ),
    ] = True
    extensions: Annotated[
        bool,
        Meta(
            description="Allow subscriptions what Graph cannot do: application permission, several of one user, more "
            "than 650 people, everybody in the tenant, a life of up to three days."
        ),
    ] = False
    notify_spelling: Annotated[
        str,
        Meta(
            description="How notifications spell resource, @odata.type and id: as Graph 'documented' it, or as it was "
            "'observed' to send it. Receivers compare with either.",
            extra={"key": "notify.spelling", "choices": ["documented", "observed"]},
        ),
    ] = "documented"
    notify_issuer: Annotated[
        str,
        Meta(
            description="The issuer in validationTokens; {tid} is the tenant, {base} this server's address.",
            extra={"key": "notify.issuer"},
        ),
    ] = DEFAULT_ISSUER
    unknown_ids: Annotated[
        str,
        Meta(
            description="What a bulk read says of an id that names nobody: 'answer' with PresenceUnknown, or 'omit'.",
            extra={"key": "unknown-ids", "choices": ["answer", "omit"]},
        ),
    ] = "answer"
    add_unknown: Annotated[
        bool,
        Meta(
            description="Setting the presence of an id that names nobody adds that person to the directory.",
            extra={"key": "add-unknown"},
        ),
    ] = True
    action_status: Annotated[
        str,
        Meta(
            description="What presence actions answer when they are done: 200, as Graph was observed to, or 204, which "
            "some generated clients insist on. Location actions answer 204 in any case.",
            extra={"key": "action-status", "choices": ["200", "204"]},
        ),
    ] = "200"
    most_body: Annotated[
        int,
        Meta(description="The largest request body, in bytes.", ge=1024, le=1 << 26, extra={"key": "most-body"}),
    ] = 1 << 20
    notify_allow: Annotated[
        list[str],
        Meta(
            description="Networks (10.1.0.0/16) and host names that notifications may go to although they are not "
            "public. Several: the flag again, spaces in the variable, a list in the file. A named host may have "
            "private and loopback addresses. Addresses of this machine are allowed anyway while only it is served.",
            extra={"key": "notify.allow"},
        ),
    ] = []
    notify_ca: Annotated[
        Path | None,
        Meta(
            description="Certificates (PEM) trusted in endpoints of notifications, besides the system's.",
            extra={"key": "notify.ca"},
        ),
    ] = None
    issuers: Annotated[
        list[ExternalIssuer],
        Meta(
            description="Other issuers whose tokens are accepted: a JSON object each, in the file a table [[issuers]].",
            extra={"flag": "issuer"},
        ),
    ] = []


class Option(msgspec.Struct, frozen=True):
    """One field of Settings as people meet it."""

    field: str
    key: str
    flag: str
    variable: str
    description: str
    type: Any
    default: Any
    shown_default: str
    choices: list[str] | None
    least: int | None
    most: int | None


def options() -> dict[str, Option]:
    """All options by field name."""
    hints = get_type_hints(Settings, include_extras=True)
    return {field.name: _option(field, hints[field.name]) for field in msgspec.structs.fields(Settings)}


def _option(field: msgspec.structs.FieldInfo, hint: Any) -> Option:
    kind, meta = hint.__origin__, hint.__metadata__[0]
    extra = meta.extra or {}
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    return Option(
        field=field.name,
        key=extra.get("key", field.name),
        flag="--" + extra.get("flag", field.name.replace("_", "-")),
        variable="PRESENCED_" + field.name.upper(),
        description=meta.description,
        type=kind,
        default=default,
        shown_default=extra.get("shown", "none" if default in (None, []) else shown),
        choices=extra.get("choices"),
        least=meta.ge,
        most=meta.le,
    )
