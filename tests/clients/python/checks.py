"""The checklist (../README.md) by Microsoft's Python SDKs, as published: msgraph-sdk (v1.0) and msgraph-beta-sdk."""

import asyncio
import importlib
import os
import ssl
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph_core import GraphClientFactory
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

SCOPES = ["https://graph.microsoft.com/.default"]
NADIA = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3"
TOMAS = "66825e03-7ef5-42da-9069-724602c31f6b"
JONAS = "5ca1ab1e-0000-4000-8000-00000000010a"
HERE = Path(__file__).parent


class SignedIn:
    """A credential that has a person's token already."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._expires = int(time.time()) + 3600

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(self._token, self._expires)

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        return AccessTokenInfo(self._token, self._expires)

    async def close(self) -> None: ...

    async def __aenter__(self) -> "SignedIn":
        return self

    async def __aexit__(self, *_: object) -> None: ...


class Sdk:
    """One published SDK: its package, its version of Graph, its classes by name."""

    def __init__(self, package: str, version: str, first_presence: str) -> None:
        self._package = package
        self._version = version
        self.first_presence = HERE / first_presence
        self._root = importlib.import_module(package)

    def module(self, path: str) -> ModuleType:
        return importlib.import_module(f"{self._package}.generated.{path}")

    def model(self, name: str, file: str) -> Any:
        return getattr(self.module(f"models.{file}"), name)

    def body(self, action: str, **members: Any) -> Any:
        """The body of an action on a user's presence, by the action's name in the SDK, such as set_presence."""
        module = self.module(f"users.item.presence.{action}.{action}_post_request_body")
        return getattr(module, action.title().replace("_", "") + "PostRequestBody")(**members)

    def client(self, credential: Any = None, base: str | None = None, under: httpx.AsyncClient | None = None) -> Any:
        """A client of the server, as the app or as who has the credential, over the HTTP client ``under``."""
        provider = AzureIdentityAuthenticationProvider(credential or app(), scopes=SCOPES)
        http = GraphClientFactory.create_with_default_middleware(client=under) if under else None
        adapter = self._root.GraphRequestAdapter(provider, client=http)
        adapter.base_url = (base or os.environ["GRAPH_BASE_URL_TLS"]).replace("v1.0", self._version)
        return self._root.GraphServiceClient(request_adapter=adapter)

    async def ask(self, client: Any, ids: list[str]) -> list[Any]:
        name = "communications.get_presences_by_user_id.get_presences_by_user_id_post_request_body"
        body = self.module(name).GetPresencesByUserIdPostRequestBody(ids=ids)
        answer = await client.communications.get_presences_by_user_id.post(body)
        return list(answer.value)


def app(prefix: str = "") -> ClientSecretCredential:
    """The sample's app, signing in at the server, or at the throttled one."""
    throttled = "PRESENCED_THROTTLED_"
    return ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_CLIENT_SECRET"],
        authority=os.environ[f"{throttled}AUTHORITY_HOST" if prefix == throttled else "AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
        # aiohttp, which it uses when installed, reads SSL_CERT_FILE when it is imported
        connection_verify=os.environ[f"{prefix or 'PRESENCED_'}CA_FILE"],
    )


def same(found: Any, wanted: Any) -> None:
    if found != wanted:
        raise AssertionError(f"found {found!r}, wanted {wanted!r}")


async def snippet(sdk: Sdk) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(sdk.first_presence), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, wrong = await process.communicate()
    same((process.returncode, wrong.decode() if process.returncode else ""), (0, ""))
    same(printed.decode().splitlines(), [f"{NADIA} Busy InAMeeting", f"{TOMAS} Away Away"])


def people() -> list[str]:
    return Path(os.environ["PRESENCED_PEOPLE_FILE"]).read_text().split()


async def ids_650(sdk: Sdk) -> None:
    ids = people()
    same(len(ids), 650)
    found = await sdk.ask(sdk.client(), ids)
    same([presence.id for presence in found], ids)
    same([presence.id for presence in found if presence.availability == "PresenceUnknown"], [])


async def ids_651(sdk: Sdk) -> None:
    error = sdk.module("models.o_data_errors.o_data_error").ODataError
    try:
        await sdk.ask(sdk.client(), [*people(), str(uuid4())])
    except error as refused:
        same((refused.response_status_code, refused.error.code), (400, "InvalidArgument"))
        same(("650" in refused.error.message, "651" in refused.error.message), (True, True))
    else:
        raise AssertionError("651 ids were not refused")


async def reads(sdk: Sdk) -> None:
    client = sdk.client()
    nadia = await client.users.by_user_id(NADIA).presence.get()
    same((nadia.id, nadia.availability, nadia.activity), (NADIA, "Busy", "InAMeeting"))
    tomas = await client.communications.presences.by_presence_id(TOMAS).get()
    same((tomas.id, tomas.availability), (TOMAS, "Away"))
    person = sdk.client(SignedIn(os.environ["PRESENCED_DELEGATED_TOKEN"]))
    builder = person.me() if callable(person.me) else person.me  # in the beta SDK it is a method
    me, own = await builder.get(), await builder.presence.get()
    same((me.user_principal_name, own.id), (os.environ["PRESENCED_USER"], me.id))
    error = sdk.module("models.o_data_errors.o_data_error").ODataError
    try:
        await client.users.by_user_id(str(uuid4())).presence.get()
    except error as refused:
        same((refused.response_status_code, refused.error.code), (404, "NotFound"))
    else:
        raise AssertionError("somebody unknown was found")


async def actions(sdk: Sdk) -> None:
    client = sdk.client()
    presence = client.users.by_user_id(JONAS).presence

    async def seen() -> tuple[str, str]:
        (jonas,) = await sdk.ask(client, [JONAS])
        return jonas.availability, jonas.activity

    busy = {"session_id": "python", "availability": "Busy", "activity": "InACall"}
    # a timedelta goes out as "1:00:00", which is no ISO 8601 duration
    await presence.set_presence.post(sdk.body("set_presence", **busy, expiration_duration=timedelta(hours=1)))
    same(await seen(), ("Busy", "InACall"))
    away = {"availability": "Away", "activity": "Away", "expiration_duration": timedelta(days=1, hours=8)}
    await presence.set_user_preferred_presence.post(sdk.body("set_user_preferred_presence", **away))
    same(await seen(), ("Away", "Away"))
    await presence.clear_user_preferred_presence.post()
    same(await seen(), ("Busy", "InACall"))
    await presence.clear_presence.post(sdk.body("clear_presence", session_id="python"))
    same(await seen(), ("Offline", "Offline"))

    Message = sdk.model("PresenceStatusMessage", "presence_status_message")  # noqa: N806
    Body = sdk.model("ItemBody", "item_body")  # noqa: N806
    text = sdk.model("BodyType", "body_type").Text
    ends = sdk.model("DateTimeTimeZone", "date_time_time_zone")(
        date_time="2999-10-18T17:05:33.2079781", time_zone="Pacific Standard Time"
    )
    said = Message(message=Body(content="Grüße \N{HOT BEVERAGE}", content_type=text), expiry_date_time=ends)
    await presence.set_status_message.post(sdk.body("set_status_message", status_message=said))
    same((await presence.get()).status_message.message.content, "Grüße \N{HOT BEVERAGE}")
    nothing = Message(message=Body(content="", content_type=text))
    await presence.set_status_message.post(sdk.body("set_status_message", status_message=nothing))
    same((await presence.get()).status_message, None)

    # the location actions are for people only
    person = sdk.client(SignedIn(os.environ["PRESENCED_DELEGATED_TOKEN"]))
    presence = person.users.by_user_id(TOMAS).presence
    where = sdk.model("WorkLocationType", "work_location_type")
    await presence.set_manual_location.post(sdk.body("set_manual_location", work_location_type=where.Remote))
    same((await presence.get()).work_location.work_location_type, where.Remote)
    await presence.clear_location.post()
    same((await presence.get()).work_location.work_location_type, where.Unspecified)
    await presence.set_automatic_location.post(sdk.body("set_automatic_location", work_location_type=where.Office))
    same((await presence.get()).work_location.work_location_type, where.Office)
    await presence.clear_automatic_location.post()
    same((await presence.get()).work_location.work_location_type, where.Unspecified)


async def batch(sdk: Sdk) -> None:
    """The SDK reads the status of each part; the body it reads only where that is not JSON, with Graph as here."""
    client = sdk.client()
    jonas = client.users.by_user_id(JONAS).presence
    busy = sdk.body("set_presence", session_id="batch", availability="Busy", activity="InACall")
    requests: list[RequestInformation] = [
        jonas.set_presence.to_post_request_information(busy),
        jonas.to_get_request_information(),
        client.users.by_user_id(NADIA).presence.to_get_request_information(),
        client.users.by_user_id(str(uuid4())).presence.to_get_request_information(),
    ]
    content = BatchRequestContent()
    items = [BatchRequestItem(request, str(number)) for number, request in enumerate(requests)]
    for item in items[1:]:
        item.set_depends_on([items[0]])
    for item in items:
        content.add_request(item.id, item)
    answer: Any = await BatchRequestBuilder(client.request_adapter).post(content)
    same(answer.get_response_status_codes(), {"0": 200, "1": 200, "2": 200, "3": 404})
    same(answer.get_response_by_id("1").content_type.startswith("application/json"), True)
    same((await jonas.get()).activity, "InACall")
    await jonas.clear_presence.post(sdk.body("clear_presence", session_id="batch"))

    # once a request knows its base URL, the SDK's item holds an absolute one, which Graph refuses and this server takes
    absolute = BatchRequestContent()
    for number, request in enumerate(requests[1:3]):
        request.path_parameters["baseurl"] = client.request_adapter.base_url
        item = BatchRequestItem(request, str(number))
        same(item.url.startswith("https://"), True)
        absolute.add_request(item.id, item)
    answer = await BatchRequestBuilder(client.request_adapter).post(absolute)
    same(answer.get_response_status_codes(), {"0": 200, "1": 200})


async def subscriptions(sdk: Sdk) -> None:
    client = sdk.client(SignedIn(os.environ["PRESENCED_DELEGATED_TOKEN"]))
    Subscription = sdk.model("Subscription", "subscription")  # noqa: N806
    ends = datetime.now(UTC) + timedelta(minutes=50)  # less than 45 minutes is made 45
    made = await client.subscriptions.post(
        Subscription(
            change_type="updated",
            notification_url=os.environ["PRESENCED_NOTIFICATION_URL"],
            resource=f"/communications/presences/{NADIA}",
            expiration_date_time=ends,
            client_state="python",
        )
    )
    one = client.subscriptions.by_subscription_id(made.id)
    same((await one.get()).expiration_date_time, ends)
    later = ends + timedelta(minutes=8)
    renewed = await one.patch(Subscription(expiration_date_time=later))
    same(renewed.expiration_date_time, later)
    await one.delete()
    error = sdk.module("models.o_data_errors.o_data_error").ODataError
    try:
        await one.get()
    except error as refused:
        same(refused.response_status_code, 404)
    else:
        raise AssertionError("the subscription is there after its end")


async def retry_429(sdk: Sdk) -> None:
    prefix = "PRESENCED_THROTTLED_"
    base = os.environ[f"{prefix}BASE_URL_TLS"]
    credential = app(prefix)
    answers: list[int] = []

    class Watched(httpx.AsyncHTTPTransport):
        """What is under the SDK's own handlers, so that it is seen what they do."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await super().handle_async_request(request)
            answers.append(answer.status_code)
            return answer

    trusted = ssl.create_default_context(cafile=os.environ[f"{prefix}CA_FILE"])
    client = sdk.client(credential, base, httpx.AsyncClient(transport=Watched(verify=trusted)))
    for _ in range(12):
        nadia = await client.users.by_user_id(NADIA).presence.get()
        same(nadia.id, NADIA)
        if 429 in answers:
            break
    same((429 in answers, answers[-1]), (True, 200))


SDKS = {
    "msgraph-sdk": ("msgraph", "v1.0", "first_presence.py"),
    "msgraph-beta-sdk": ("msgraph_beta", "beta", "first_presence_beta.py"),
}
CHECKS: dict[str, Callable[[Sdk], Coroutine[Any, Any, None]]] = {
    "snippet": snippet,
    "ids-650": ids_650,
    "ids-651": ids_651,
    "reads": reads,
    "actions": actions,
    "batch": batch,
    "subscriptions": subscriptions,
    "retry-429": retry_429,
}


def main(names: list[str]) -> int:
    known = [f"{sdk}/{check}" for sdk in SDKS for check in CHECKS]
    if unknown := sorted(set(names) - set(known)):
        print(f"unknown: {' '.join(unknown)}; known are {' '.join(known)}", file=sys.stderr)
        return 2
    failed = False
    loaded: dict[str, Sdk] = {}
    for name in names or known:
        sdk, check = name.split("/")
        try:
            if sdk not in loaded:
                loaded[sdk] = Sdk(*SDKS[sdk])
            asyncio.run(CHECKS[check](loaded[sdk]))
        except Exception as error:
            failed = True
            traceback.print_exc()
            print(f"not ok {name}: {' '.join(f'{type(error).__name__}: {error}'.split())[:300]}", flush=True)
        else:
            print(f"ok {name}", flush=True)
    return int(failed)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the SDKs leave connections open until they are collected
    sys.exit(main(sys.argv[1:]))
