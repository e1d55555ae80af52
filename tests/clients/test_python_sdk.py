"""Microsoft's Python SDK with azure-identity, as published, over TLS: only base URL and credential are ours."""

import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.communications.get_presences_by_user_id.get_presences_by_user_id_post_request_body import (
    GetPresencesByUserIdPostRequestBody,
)
from msgraph.generated.communications.presences.presences_request_builder import PresencesRequestBuilder
from msgraph.generated.models.automatic_replies_setting import AutomaticRepliesSetting
from msgraph.generated.models.automatic_replies_status import AutomaticRepliesStatus
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.mailbox_settings import MailboxSettings
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.presence import Presence
from msgraph.generated.models.presence_status_message import PresenceStatusMessage
from msgraph.generated.users.item.presence.clear_presence.clear_presence_post_request_body import (
    ClearPresencePostRequestBody,
)
from msgraph.generated.users.item.presence.set_presence.set_presence_post_request_body import (
    SetPresencePostRequestBody,
)
from msgraph.generated.users.item.presence.set_status_message.set_status_message_post_request_body import (
    SetStatusMessagePostRequestBody,
)
from msgraph.generated.users.item.presence.set_user_preferred_presence.set_user_preferred_presence_post_request_body import (  # noqa: E501
    SetUserPreferredPresencePostRequestBody,
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


async def test_the_state_a_person_prefers(graph_client: GraphServiceClient) -> None:
    presence = graph_client.users.by_user_id(JONAS).presence
    session = SetPresencePostRequestBody(session_id="sdk", availability="Available", activity="Available")
    await presence.set_presence.post(session)
    preferred = SetUserPreferredPresencePostRequestBody(
        availability="DoNotDisturb", activity="DoNotDisturb", expiration_duration=timedelta(days=1, hours=8)
    )
    await presence.set_user_preferred_presence.post(preferred)
    (during,) = await ask(graph_client, [JONAS])
    assert (during.availability, during.activity) == ("DoNotDisturb", "DoNotDisturb")
    await presence.clear_user_preferred_presence.post()
    (after,) = await ask(graph_client, [JONAS])
    assert after.availability == "Available"
    await presence.clear_presence.post(ClearPresencePostRequestBody(session_id="sdk"))


async def test_a_status_message(graph_client: GraphServiceClient) -> None:
    presence = graph_client.users.by_user_id(JONAS).presence
    message = PresenceStatusMessage(
        message=ItemBody(content="Hey I'm currently in a meeting.", content_type=BodyType.Text),
        expiry_date_time=DateTimeTimeZone(date_time="2999-10-18T17:05:33.2079781", time_zone="Pacific Standard Time"),
    )
    await presence.set_status_message.post(SetStatusMessagePostRequestBody(status_message=message))
    (shown,) = await ask(graph_client, [JONAS])
    assert shown.status_message is not None
    assert shown.status_message.message is not None
    assert shown.status_message.message.content == "Hey I'm currently in a meeting."
    assert shown.status_message.expiry_date_time is None  # an application is another reader
    nothing = PresenceStatusMessage(message=ItemBody(content="", content_type=BodyType.Text))
    await presence.set_status_message.post(SetStatusMessagePostRequestBody(status_message=nothing))
    (cleared,) = await ask(graph_client, [JONAS])
    assert cleared.status_message is None


async def test_automatic_replies(graph_client: GraphServiceClient) -> None:
    user = graph_client.users.by_user_id(JONAS)
    replies = AutomaticRepliesSetting(
        status=AutomaticRepliesStatus.AlwaysEnabled, internal_reply_message="<p>On leave</p>"
    )
    kept = await user.mailbox_settings.patch(MailboxSettings(automatic_replies_setting=replies))
    assert kept is not None
    assert kept.automatic_replies_setting is not None
    assert kept.automatic_replies_setting.status == AutomaticRepliesStatus.AlwaysEnabled
    (away,) = await ask(graph_client, [JONAS])
    assert away.out_of_office_settings is not None
    assert (away.out_of_office_settings.is_out_of_office, away.out_of_office_settings.message) == (True, "On leave")
    back = AutomaticRepliesSetting(status=AutomaticRepliesStatus.Disabled)
    await user.mailbox_settings.patch(MailboxSettings(automatic_replies_setting=back))


async def test_lists(graph_client: GraphServiceClient) -> None:
    Parameters = PresencesRequestBuilder.PresencesRequestBuilderGetQueryParameters  # noqa: N806
    some = RequestConfiguration(
        query_parameters=Parameters(filter=f"id in ('{NADIA}','{TOMAS}')", select=["id", "activity"], count=True)
    )
    answer = await graph_client.communications.presences.get(some)
    assert answer is not None
    assert [(found.id, found.activity, found.availability) for found in answer.value or []] == [
        (NADIA, "InAMeeting", None),
        (TOMAS, "Away", None),
    ]
    assert answer.odata_count == 2
    page = await graph_client.communications.presences.get(RequestConfiguration(query_parameters=Parameters(top=5)))
    assert page is not None
    assert page.odata_next_link is not None
    following = await graph_client.communications.presences.with_url(page.odata_next_link).get()
    assert following is not None
    assert not {found.id for found in page.value or []} & {found.id for found in following.value or []}
