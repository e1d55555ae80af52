"""Writes the pages that must not drift from the code: compatibility.md and configuration.md.

Run by scripts/docs; a test fails when the pages in the repository differ from what this writes.
"""

from pathlib import Path

from presenced.graph.model import NOT_SERVED
from presenced.graph.operation import Operation
from presenced.graph.operations import OPERATIONS
from presenced.identity.permissions import NEEDS
from presenced.openapi.document import spelt
from presenced.settings import options

HERE = Path(__file__).parent

DIFFERS = {
    "getPresencesByUserId": "Graph publishes no text for more than 650 ids, nor what it says of unknown ids; here they "
    "are PresenceUnknown in request order, or left out with `unknown-ids = omit`.",
    "getPresence": "A UPN is 404 `NotFound`, as is an unknown id; Graph's body for these is not published. "
    "`$select` is honoured, of which users of Graph report both; there is nothing to `$expand`.",
    "listPresences": "Graph documents `$filter=id in ('…','…')` (650 ids at most) only as the resource of a subscription; "
    "here it answers, with `$select` and `$count`. Without a filter, an application gets a page of everybody in the "
    "tenant (`$top` up to 999, `@odata.nextLink`); Graph has no such thing.",
    "setPresence": "`sessionId` is required and may be any text; Graph's schema lets it be null, its service is known to "
    "require it on clearPresence. An unknown id becomes a person, unless `add-unknown = false`. At most 500 live "
    "sessions a person.",
    "setUserPreferredPresence": "Any duration longer than nothing is taken; Graph documents no range.",
    "setStatusMessage": "At most 1,024 characters; Graph's limit is not published. HTML, an expiry with an offset, in an "
    "unknown time zone or in the past are 400 `InvalidArgument`; Graph's answers to these are not published. "
    "`statusMessage: null` and empty content clear the message. Applications see of a message what other people see.",
    "setManualLocation": "Holds until the end of the person's day in the time zone of their mailbox settings (UTC if "
    "there is none); Graph does not say how long. Setting the same type again without a place keeps the place: the "
    "more precise signal wins.",
    "setAutomaticLocation": "As setManualLocation. The scheduled layer comes from imported calendars.",
    "clearLocation": "Answers 204 like the other location actions: the pages say 200, their examples 204.",
    "getMailboxSettings": "`automaticRepliesSetting` and `timeZone` only.",
    "updateMailboxSettings": "`automaticRepliesSetting` and `timeZone`; other members are accepted and not kept. Readers "
    "see the internal reply as plain text, while it holds.",
    "createSubscription": "Presence only, by webhook: `communications/presences/{id}` or `communications/presences?$filter=id "
    "in (…)`, quoted or not. A life of more than 60 minutes is refused, one of less than 45 is raised to 45. With "
    "`extensions = true`, which Graph cannot do: application permission (`Presence.Read.All` or `Presence.ReadWrite.All`), "
    "several subscriptions of one user (1,000 at most), up to 20,000 people, the whole tenant (`communications/presences`), a life of "
    "up to three days. Webhooks at private addresses are refused (`notify.allow`); http is for loopback only.",
    "updateSubscription": "Renews and authorises anew; a new `notificationUrl` is validated first. "
    "`lifecycleNotificationUrl` cannot be changed.",
    "listSubscriptions": "The caller's own: of the application, for the signed-in user.",
    "createUser": "`id` may be given; `accountEnabled`, `mailNickname` and `passwordProfile` may be left out.",
    "listUsers": "`$top`, `$skiptoken` and `$select` only; `$filter` and others are refused with 400.",
    "getUser": "Five members: id, userPrincipalName, displayName, mail, jobTitle.",
    "getMe": "Five members, as for a user.",
    "batch": "Beside what Graph takes: absolute urls that begin with this server's address, and `depends_on` (both sent by "
    "msgraph-sdk for Python; Graph answers 400 to the urls). The answers come in the order of the requests. As Graph, "
    "400 for a request with a body and no `Content-Type`, and for a POST or PATCH without a body.",
    "getServiceDocument": "Takes no token. Graph publishes its answer, not whether it needs one.",
    "getMetadata": "What is served here, not all of Graph; no annotations. XML whatever `Accept` says, since what Graph says to "
    "`Accept: application/json` is not published; `$format=xml` is taken.",
}

NOT_IMPLEMENTED = (
    ("GET", "/communications/presences/$count", "`$count=true` on the list is"),
    ("POST", "/communications/presences", "generated from the schema only; 405"),
    (
        "PATCH, DELETE",
        "/me/presence, /users/{id}/presence, /communications/presences/{id}",
        "generated from the schema only; 405",
    ),
    ("GET", "…/mailboxSettings/automaticRepliesSetting and other single members", ""),
    ("any", "/subscriptions of other resources than presence, by Event Hubs, Event Grid or Web Push", "400"),
)

COMPATIBILITY = """# Compatibility with Microsoft Graph

<!-- Written by scripts/docs from the tables in src/presenced. Do not edit. -->

What presenced does of Graph's presence API, on `/v1.0` and `/beta` alike. Every action also answers to its
namespace-qualified name (`microsoft.graph.setPresence`), paths match in any letter case, `users('id')` is `users/id`, and
`/users/me-token-to-replace` is `/me`.

**Implemented** means: as Graph documents it or was observed to do. **Differs** names what is otherwise, or where Graph's
behaviour is not published and presenced had to choose.

| operation | status | delegated permission | application permission |
| --- | --- | --- | --- |
{implemented}

Any one of the permissions named is enough. Reading one's own presence takes `{own}`. Personal Microsoft accounts are
refused everywhere. Changing another person's presence with a person's token is 401, as in Graph.

## What differs

{differs}
- **Every operation**: a missing permission is 403 `Forbidden` with an empty message, as observed; the header
  `presenced-needs-permission` says which permissions would do. `x-ms-ags-diagnostic` and `Strict-Transport-Security` are
  not sent (HSTS on localhost would break other local servers).
- **Throttling**: 1,500 requests per 30 seconds per application and tenant on presence, reads and writes together, as the
  operation's page says (the newest central table says 10,000; see `throttle.presence`). A refused request is not counted.
- **An unknown path** under `/v1.0` is 400 `BadRequest`, "Resource not found for the segment", as observed; elsewhere it
  is 404 `NotFound`.
- **CORS**: any origin may call, as in Graph; a preflight allows the headers that the page asks for.
- **HEAD** answers as GET does, without the body. **OPTIONS** says the methods of a path and takes no token.
- **A status code for actions**: 200 as observed; some generated clients accept 204 only, for them there is
  `action-status = 204`.
- **Out of office**: `isOutOfOffice` while automatic replies hold or an imported event is shown as out of office. Available
  then reads `Available`/`OutOfOffice`; no other state changes by it.
- **The calendar** makes a person with a session `Busy`/`InAMeeting` (a meeting) or `Busy`/`Busy` (an appointment) unless a
  session is Busy or DoNotDisturb itself. Tentative events do nothing.
- **Notifications**: `resource`, `@odata.type` and `id` as documented, or as observed with `notify.spelling = observed`.
  A change of availability or activity is told at least once, in order for each endpoint; the back-off between tries is
  ours: 2 seconds, doubling to 10 minutes, with jitter. `validationTokens` have the issuer `notify.issuer`. An endpoint is
  slow or dropped by Graph's percentages only after five answers in ten minutes.
- **Lifecycle**: `reauthorizationRequired` once, when a quarter of the token's life is left. Deliveries pause when the
  token has ended, and go on after PATCH or reauthorize.
- **sequenceNumber** is 20 digits, the microseconds since 1970 of the last visible change, always growing.
- **A clock set back**: sessions, choices, messages and locations that had run out stay so, and those that had not last longer
  by the step. Out-of-office windows and calendars go by the clock, and hold again under a new number. A person who was
  deleted and is made again while the clock is behind may begin with a lower number.
- **The default five minutes** of setPresence end exactly when Available would first fade: expiry wins.

## Not implemented

| method | path | note |
| --- | --- | --- |
{missing}

Of Microsoft's schema of presence, subscriptions and people (CSDL), everything is served as declared but:

| declared | here |
| --- | --- |
{not_served}

## Sign-in

The local issuer answers as Entra does at `/{{tenant}}/oauth2/v2.0/token`, `/{{tenant}}/v2.0/.well-known/openid-configuration`
and `/{{tenant}}/discovery/v2.0/keys`: client credentials (secret or certificate), authorization code with PKCE, device code,
on-behalf-of, refresh tokens and password, with the pages and addresses in [sign-in.md](sign-in.md). Not implemented: the
implicit and hybrid flows, consent, conditional access, single sign-on into hidden frames of other sites. Local access tokens have the issuer
`urn:presenced:{{tenant}}`, whichever address they were asked at. The metadata is also at the addresses without a version,
`/{{tenant}}/.well-known/openid-configuration` and `/{{tenant}}/discovery/keys`, which receivers of notifications use; it
differs from Entra's in that it names the v2.0 endpoints and issuer. Tenant `common` is the home tenant.
"""

CONFIGURATION = """# Configuration

<!-- Written by scripts/docs from src/presenced/settings.py. Do not edit. -->

Every setting is a flag of `presenced serve`, an environment variable and a key of `presenced.toml`. The flag wins over the
variable, the variable over the file. The file is `presenced.toml` in the folder a command is started in, or the one that
`--config` or `PRESENCED_CONFIG` names. Dots in a key are tables: `throttle.presence` is `presence` under `[throttle]`.

| key | flag | variable | default | meaning |
| --- | --- | --- | --- | --- |
{rows}

Options of one command only are variables with its name, such as `PRESENCED_TOKEN_LIFETIME`, and keys in its table:

```toml
port = 8081
tls = true

[throttle]
presence = 0

[token]
lifetime = "8h"
```

Tokens of other issuers (Entra, Keycloak and the like) are accepted when the file names them. Their keys are found by OpenID
discovery. Without `tenant`, the token's own `tid` says whose people it is for, so leave it out only for an issuer that may
speak for any tenant. `roles_claim` is where application permissions are; whoever has such a role there has that permission
here, in a token that carries no delegated one:

```toml
[[issuers]]
issuer = "https://id.example.com/realms/work"
audience = "presence"
tenant = "5ca1ab1e-0000-4000-8000-000000000001"
roles_claim = "realm_access.roles"
```
"""


def compatibility() -> str:
    """The text of compatibility.md."""
    own = "` or `".join(NEEDS["getOwnPresence"].delegated)
    return COMPATIBILITY.format(
        implemented="\n".join(_row(operation) for operation in OPERATIONS),
        differs="\n".join(f"- **{name}**: {how}" for name, how in DIFFERS.items()),
        missing="\n".join(f"| {method} | `{path}` | {note} |" for method, path, note in NOT_IMPLEMENTED),
        own=own,
        not_served="\n".join(f"| `{what}` | {how} |" for what, how in NOT_SERVED.items()),
    )


def configuration() -> str:
    """The text of configuration.md."""
    rows = []
    for option in options().values():
        meaning = option.description.replace("|", "\\|")
        rows.append(f"| `{option.key}` | `{option.flag}` | `{option.variable}` | {option.shown_default} | {meaning} |")
    return CONFIGURATION.format(rows="\n".join(rows))


def _row(operation: Operation) -> str:
    paths = "<br>".join(f"`{operation.method} /{spelt(template)}`" for template in operation.templates)
    status = "differs" if operation.name in DIFFERS else "implemented"
    if operation.needs is None:
        token = "no token" if operation.anonymous else "any token"
        return f"| {paths} | {status} | {token} | {token} |"
    need = NEEDS[operation.needs]
    return f"| {paths} | {status} | {', '.join(need.delegated) or 'none'} | {', '.join(need.application) or 'none'} |"


PAGES = {HERE / "compatibility.md": compatibility, HERE / "configuration.md": configuration}

if __name__ == "__main__":
    for path, text in PAGES.items():
        path.write_text(text(), "utf-8")
