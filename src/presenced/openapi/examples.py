"""Examples: what is sent and answered, as the document shows it.

The people are the first of the sample tenant, and those of Graph's own page of getPresencesByUserId.
"""

from typing import Any

Example = dict[str, Any]

PERSON = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3"
SECOND_PERSON = "66825e03-7ef5-42da-9069-724602c31f6b"
SUBSCRIPTION = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
APP = "5ca1ab1e-0000-4000-8000-00000000a001"

BUSY = {"sessionId": APP, "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H"}
PRESENCE = {
    "id": PERSON,
    "availability": "Busy",
    "activity": "InAMeeting",
    "statusMessage": None,
    "outOfOfficeSettings": {"message": None, "isOutOfOffice": False},
    "workLocation": {"placeId": None, "source": "none", "workLocationType": "unspecified"},
    "sequenceNumber": "00001795514922000000",
}
USER = {
    "id": PERSON,
    "userPrincipalName": "nadia@sample.example",
    "displayName": "Nadia Petrova",
    "mail": "nadia@sample.example",
    "jobTitle": "Product Manager",
}
SUBSCRIPTION_TO_CREATE = {
    "changeType": "updated",
    "notificationUrl": "https://client.example/notifications",
    "resource": f"communications/presences/{PERSON}",
    "expirationDateTime": "2026-11-24T12:00:00Z",
    "clientState": "a secret of the client",
}
SUBSCRIBED = {
    "id": SUBSCRIPTION,
    "resource": f"communications/presences/{PERSON}",
    "applicationId": APP,
    "changeType": "updated",
    "clientState": "a secret of the client",
    "notificationUrl": "https://client.example/notifications",
    "notificationQueryOptions": None,
    "lifecycleNotificationUrl": None,
    "expirationDateTime": "2026-11-24T12:00:00Z",
    "creatorId": SECOND_PERSON,
    "includeResourceData": False,
    "latestSupportedTlsVersion": "v1_2",
    "encryptionCertificate": None,
    "encryptionCertificateId": None,
    "notificationUrlAppId": None,
    "notificationContentType": "application/json",
}
REPLIES = {
    "status": "alwaysEnabled",
    "externalAudience": "none",
    "internalReplyMessage": "<p>Back on Monday.</p>",
    "externalReplyMessage": "",
}
SETTINGS = {
    "automaticRepliesSetting": {**REPLIES, "scheduledStartDateTime": None, "scheduledEndDateTime": None},
    "timeZone": "Europe/Berlin",
}


def collection(fragment: str, *items: Example) -> Example:
    """An answer with several."""
    return {"@odata.context": f"http://localhost:8080/v1.0/$metadata#{fragment}", "value": list(items)}


def entity(fragment: str, item: Example) -> Example:
    """An answer with one."""
    return {"@odata.context": f"http://localhost:8080/v1.0/$metadata#{fragment}", **item}
