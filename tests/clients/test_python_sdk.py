"""Microsoft's Python SDK with azure-identity, as published, over TLS: only base URL and credential are ours."""

import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from azure.identity.aio import ClientSecretCredential
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.communications.get_presences_by_user_id.get_presences_by_user_id_post_request_body import (
    GetPresencesByUserIdPostRequestBody,
)
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.presence import Presence
from msgraph.generated.users.item.presence.clear_presence.clear_presence_post_request_body import (
    ClearPresencePostRequestBody,
)
from msgraph.generated.users.item.presence.set_presence.set_presence_post_request_body import (
    SetPresencePostRequestBody,
)
from tests.conftest import JONAS, NADIA, TOMAS
from tests.running import Server

# the SDK leaves connections open until they are collected
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

SCOPES = ["https://graph.microsoft.com/.default"]


@pytest.fixture(scope="module", autouse=True)
def collected_here() -> Iterator[None]:
    """Have what the SDK leaves open collected now, and not in another test, where its warning would be an error."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture
async def graph_client(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GraphServiceClient]:
    environment = server.environment()
    monkeypatch.setenv("SSL_CERT_FILE", environment["PRESENCED_CA_FILE"])
    credential = ClientSecretCredential(
        environment["AZURE_TENANT_ID"],
        environment["AZURE_CLIENT_ID"],
        environment["AZURE_CLIENT_SECRET"],
        authority=environment["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
        # aiohttp, which it uses when installed, read SSL_CERT_FILE when it was imported
        connection_verify=environment["PRESENCED_CA_FILE"],
    )
    adapter = GraphRequestAdapter(AzureIdentityAuthenticationProvider(credential, scopes=SCOPES))
    adapter.base_url = environment["GRAPH_BASE_URL_TLS"]
    yield GraphServiceClient(request_adapter=adapter)
    await credential.close()
    # the SDK's transport does not pass a close on to the one it wraps
    await adapter._http_client._transport.transport.aclose()


async def ask(client: GraphServiceClient, ids: list[str]) -> list[Presence]:
    answer = await client.communications.get_presences_by_user_id.post(GetPresencesByUserIdPostRequestBody(ids=ids))
    assert answer is not None
    assert answer.value is not None
    return answer.value


async def test_the_documented_snippet(graph_client: GraphServiceClient) -> None:
    # word for word from the page of getPresencesByUserId
    request_body = GetPresencesByUserIdPostRequestBody(
        ids=[
            "fa8bf3dc-eca7-46b7-bad1-db199b62afc3",
            "66825e03-7ef5-42da-9069-724602c31f6b",
        ],
    )
    result = await graph_client.communications.get_presences_by_user_id.post(request_body)

    assert result is not None
    assert [(found.id, found.availability, found.activity) for found in result.value or []] == [
        (NADIA, "Busy", "InAMeeting"),
        (TOMAS, "Away", "Away"),
    ]


async def test_all_members_arrive_typed(graph_client: GraphServiceClient) -> None:
    (amara,) = await ask(graph_client, ["5ca1ab1e-0000-4000-8000-000000000101"])
    assert amara.status_message is not None
    assert amara.status_message.message is not None
    assert amara.status_message.message.content == "On the help desk until four, ask away."
    assert amara.status_message.expiry_date_time is None
    assert amara.out_of_office_settings is not None
    assert amara.out_of_office_settings.is_out_of_office is False
    assert amara.work_location is not None
    assert amara.work_location.source == "manual"
    assert amara.sequence_number


async def test_650_ids_and_651_refused(graph_client: GraphServiceClient) -> None:
    ids = [NADIA, TOMAS, *(str(uuid4()) for _ in range(648))]
    assert [found.id for found in await ask(graph_client, ids)] == ids
    with pytest.raises(ODataError) as refused:
        await ask(graph_client, [*ids, str(uuid4())])
    assert refused.value.response_status_code == 400
    assert refused.value.error is not None
    assert refused.value.error.code == "InvalidArgument"
    assert "650" in (refused.value.error.message or "")
    assert "651" in (refused.value.error.message or "")


async def test_unknown_ids(graph_client: GraphServiceClient) -> None:
    stranger = str(uuid4())
    (found,) = await ask(graph_client, [stranger])
    assert (found.id, found.availability, found.activity) == (stranger, "PresenceUnknown", "PresenceUnknown")
    with pytest.raises(ODataError) as refused:
        await graph_client.users.by_user_id(stranger).presence.get()
    assert refused.value.response_status_code == 404
    assert refused.value.error is not None
    assert refused.value.error.code == "NotFound"


async def test_set_and_clear(graph_client: GraphServiceClient) -> None:
    presence = graph_client.users.by_user_id(JONAS).presence
    before = await presence.get()
    assert before is not None
    assert before.availability == "Offline"
    await presence.set_presence.post(
        SetPresencePostRequestBody(
            session_id="sdk-test",
            availability="Busy",
            activity="InACall",
            expiration_duration=timedelta(hours=1),  # goes out as "1:00:00"
        )
    )
    (during,) = await ask(graph_client, [JONAS])
    assert (during.availability, during.activity) == ("Busy", "InACall")
    assert (during.sequence_number or "") > (before.sequence_number or "")
    await presence.clear_presence.post(ClearPresencePostRequestBody(session_id="sdk-test"))
    (after,) = await ask(graph_client, [JONAS])
    assert (after.availability, after.activity) == ("Offline", "Offline")
