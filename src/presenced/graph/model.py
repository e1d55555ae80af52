"""Model: the entity data model of what is served, as Microsoft declares it in Graph's schema (CSDL, namespace
microsoft.graph, read 2026-08; OData CSDL XML 4.0 for the words).

Here it is a table; metadata.py writes it as ``$metadata``. A test holds it against Microsoft's own schema, against the
JSON that is answered and against what actions take, so that nothing can be missing without being named below.
"""

from typing import NamedTuple

Members = tuple[str, ...]


class Property(NamedTuple):
    """A property of a type, or a parameter of an action."""

    name: str
    type: str = "Edm.String"
    nullable: bool = True


class Navigation(NamedTuple):
    """A way from an entity to others that it contains."""

    name: str
    type: str


class Entity(NamedTuple):
    """An entity type. ``base`` is the type it extends."""

    properties: tuple[Property, ...] = ()
    base: str | None = "graph.entity"
    navigations: tuple[Navigation, ...] = ()
    abstract: bool = False
    is_open: bool = False


class Action(NamedTuple):
    """A bound action: the type it is bound to, its parameters, and what it returns."""

    binding: str
    parameters: tuple[Property, ...] = ()
    returns: str | None = None


ENUMS: dict[str, Members] = {
    "automaticRepliesStatus": ("disabled", "alwaysEnabled", "scheduled"),
    "bodyType": ("text", "html"),
    "externalAudienceScope": ("none", "contactsOnly", "all"),
    "workLocationSource": ("none", "manual", "scheduled", "automatic", "unknownFutureValue"),
    "workLocationType": ("unspecified", "office", "remote", "timeOff", "unknownFutureValue"),
}
"""Enumeration types; a member's value is its place."""

COMPLEX_TYPES: dict[str, tuple[Property, ...]] = {
    "automaticRepliesSetting": (
        Property("externalAudience", "graph.externalAudienceScope"),
        Property("externalReplyMessage"),
        Property("internalReplyMessage"),
        Property("scheduledEndDateTime", "graph.dateTimeTimeZone"),
        Property("scheduledStartDateTime", "graph.dateTimeTimeZone"),
        Property("status", "graph.automaticRepliesStatus"),
    ),
    "dateTimeTimeZone": (Property("dateTime", nullable=False), Property("timeZone")),
    "itemBody": (Property("content"), Property("contentType", "graph.bodyType")),
    "mailboxSettings": (
        Property("automaticRepliesSetting", "graph.automaticRepliesSetting"),
        Property("timeZone"),
    ),
    "outOfOfficeSettings": (Property("isOutOfOffice", "Edm.Boolean"), Property("message")),
    "passwordProfile": (Property("password"),),
    "presenceStatusMessage": (
        Property("expiryDateTime", "graph.dateTimeTimeZone"),
        Property("message", "graph.itemBody"),
        Property("publishedDateTime", "Edm.DateTimeOffset"),
    ),
    "userWorkLocation": (
        Property("placeId"),
        Property("source", "graph.workLocationSource", nullable=False),
        Property("workLocationType", "graph.workLocationType", nullable=False),
    ),
}

ENTITIES: dict[str, Entity] = {
    "cloudCommunications": Entity(base=None, navigations=(Navigation("presences", "Collection(graph.presence)"),)),
    "directoryObject": Entity(is_open=True),
    "entity": Entity((Property("id", nullable=False),), base=None, abstract=True),
    "presence": Entity(
        (
            Property("activity"),
            Property("availability"),
            Property("outOfOfficeSettings", "graph.outOfOfficeSettings"),
            Property("sequenceNumber"),
            Property("statusMessage", "graph.presenceStatusMessage"),
            Property("workLocation", "graph.userWorkLocation"),
        )
    ),
    "subscription": Entity(
        (
            Property("applicationId"),
            Property("changeType", nullable=False),
            Property("clientState"),
            Property("creatorId"),
            Property("encryptionCertificate"),
            Property("encryptionCertificateId"),
            Property("expirationDateTime", "Edm.DateTimeOffset", nullable=False),
            Property("includeResourceData", "Edm.Boolean"),
            Property("latestSupportedTlsVersion"),
            Property("lifecycleNotificationUrl"),
            Property("notificationContentType"),
            Property("notificationQueryOptions"),
            Property("notificationUrl", nullable=False),
            Property("notificationUrlAppId"),
            Property("resource", nullable=False),
        )
    ),
    "user": Entity(
        (
            Property("displayName"),
            Property("jobTitle"),
            Property("mail"),
            Property("mailboxSettings", "graph.mailboxSettings"),
            Property("passwordProfile", "graph.passwordProfile"),
            Property("userPrincipalName"),
        ),
        base="graph.directoryObject",
        navigations=(Navigation("presence", "graph.presence"),),
        is_open=True,
    ),
}

_STATE = (Property("availability", nullable=False), Property("activity", nullable=False))
_DURATION = Property("expirationDuration", "Edm.Duration")
_LOCATION = (Property("workLocationType", "graph.workLocationType", nullable=False), Property("placeId"))

ACTIONS: dict[str, Action] = {
    "clearAutomaticLocation": Action("graph.presence"),
    "clearLocation": Action("graph.presence"),
    "clearPresence": Action("graph.presence", (Property("sessionId"),)),
    "clearUserPreferredPresence": Action("graph.presence"),
    "getPresencesByUserId": Action(
        "graph.cloudCommunications",
        (Property("ids", "Collection(Edm.String)", nullable=False),),
        "Collection(graph.presence)",
    ),
    "reauthorize": Action("graph.subscription"),
    "setAutomaticLocation": Action("graph.presence", _LOCATION),
    "setManualLocation": Action("graph.presence", _LOCATION),
    "setPresence": Action("graph.presence", (Property("sessionId"), *_STATE, _DURATION)),
    "setStatusMessage": Action("graph.presence", (Property("statusMessage", "graph.presenceStatusMessage"),)),
    "setUserPreferredPresence": Action("graph.presence", (*_STATE, _DURATION)),
}

ENTITY_SETS = {"subscriptions": "subscription", "users": "user"}
SINGLETONS = {"communications": "cloudCommunications", "me": "user"}

NOT_SERVED = {
    "directoryObject.deletedDateTime": "nobody is kept once deleted, so it is left out of answers and of `$metadata`",
    "bodyType.html": "declared, and refused in a status message, which is text",
    "workLocationSource.unknownFutureValue": "declared, never answered",
    "workLocationType.unknownFutureValue": "declared, refused, never answered",
    "setPresence.sessionId": "nullable in the schema, required here",
    "clearPresence.sessionId": "nullable in the schema, required as by Graph itself",
    "subscription.encryptionCertificate": "taken, and null in every answer",
    "subscription.notificationQueryOptions": "for Universal Print: null in every answer",
}
"""Of Microsoft's schema of presence, what is not served as declared, and why: for compatibility.md and the test."""
