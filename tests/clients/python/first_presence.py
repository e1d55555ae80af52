import asyncio
import os

from azure.identity.aio import ClientSecretCredential
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.communications.get_presences_by_user_id.get_presences_by_user_id_post_request_body import (
    GetPresencesByUserIdPostRequestBody,
)


async def main() -> None:
    credential = ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_CLIENT_SECRET"],
        authority=os.environ["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,  # else MSAL asks login.microsoftonline.com about this authority
    )
    scopes = ["https://graph.microsoft.com/.default"]
    adapter = GraphRequestAdapter(AzureIdentityAuthenticationProvider(credential, scopes=scopes))
    adapter.base_url = os.environ["GRAPH_BASE_URL_TLS"]  # this line is the difference from Graph
    graph_client = GraphServiceClient(request_adapter=adapter)

    request_body = GetPresencesByUserIdPostRequestBody(
        ids=[
            "fa8bf3dc-eca7-46b7-bad1-db199b62afc3",
            "66825e03-7ef5-42da-9069-724602c31f6b",
        ],
    )
    result = await graph_client.communications.get_presences_by_user_id.post(request_body)

    for presence in (result and result.value) or []:
        print(presence.id, presence.availability, presence.activity)
    await credential.close()


asyncio.run(main())
