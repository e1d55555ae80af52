"""Operations: of each operation what the tables of graph/ do not say: words for people, examples, the errors that are
its own, and which operation may come next.

Every operation has a row here (a test says so); everything else in the document is derived.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from presenced.graph.metadata import XML
from presenced.openapi.examples import (
    APP,
    BUSY,
    PERSON,
    PRESENCE,
    REPLIES,
    SECOND_PERSON,
    SETTINGS,
    SUBSCRIBED,
    SUBSCRIPTION_TO_CREATE,
    USER,
    Example,
    collection,
    entity,
)

JSON = "application/json"


class Link(NamedTuple):
    """What may come next: an operation, the runtime expression for its id, and those for members of its body."""

    target: str
    key: str
    body: dict[str, str] | None = None


@dataclass(frozen=True)
class About:
    """What people are told of an operation.

    ``success`` is every status it may answer when it is done. ``examples`` are bodies to send, by what they are for;
    ``answer`` is one that comes back. ``query`` are the query options it takes, ``errors`` its own codes by status.
    ``body_optional``: no body will do too. ``answer_schema`` names a schema where no struct is what it gives.
    """

    tag: str
    summary: str
    description: str = ""
    success: tuple[int, ...] = (200,)
    examples: Mapping[str, Example] = field(default_factory=dict)
    answer: Example | None = None
    query: tuple[str, ...] = ()
    errors: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    body_optional: bool = False
    takes: str | None = None
    answer_schema: str | None = None
    content_type: str = JSON


_NOT_A_PERSON = {404: ("NotFound",)}
_NOBODY = {404: ("Request_ResourceNotFound",)}
_GONE = {404: ("ResourceNotFound",)}
_SUBSCRIPTION_REFUSED = ("InvalidRequest", "ExtensionError", "ValidationError")
_OTHER_MAILBOX = {**_NOBODY, 403: ("ErrorAccessDenied",)}


def _action(summary: str, description: str = "", **more: Any) -> About:
    more.setdefault("errors", _NOT_A_PERSON)
    more.setdefault("success", (200, 204))
    more.setdefault("links", {"read": Link("getPresence", "$request.path.id")})
    return About("Presence", summary, description, **more)


def _location(summary: str, description: str = "", **more: Any) -> About:
    return _action(summary, description, success=(204,), **more)


_NONE: dict[str, Any] = {"examples": {"no parameters": {}}, "body_optional": True}

ABOUT: dict[str, About] = {
    "getPresencesByUserId": About(
        "Presence",
        "Read the presence of up to 650 people",
        "The answer has one presence for each distinct id, in the order of the ids. An id that names nobody is "
        "`PresenceUnknown`, or left out with the setting `unknown-ids = omit`.",
        examples={"two people": {"ids": [PERSON, SECOND_PERSON]}, "nobody": {"ids": []}},
        answer=collection("Collection(microsoft.graph.presence)", PRESENCE),
        links={"read one": Link("getPresence", "$response.body#/value/0/id")},
    ),
    "getPresence": About(
        "Presence",
        "Read the presence of one person",
        answer=entity(f"users('{PERSON}')/presence/$entity", PRESENCE),
        query=("$select", "$expand"),
        errors=_NOT_A_PERSON,
        links={"read the person": Link("getUser", "$response.body#/id")},
    ),
    "listPresences": About(
        "Presence",
        "Read the presence of some people, or of everybody",
        "With `$filter=id in ('…','…')` up to 650 people; without it, for applications, a page of everybody.",
        answer=collection("communications/presences", PRESENCE),
        query=("$filter", "$select", "$count", "$top", "$skiptoken"),
        links={"read one": Link("getPresence", "$response.body#/value/0/id")},
    ),
    "setPresence": _action(
        "Open or renew a presence session of an application",
        "The person shows the strongest of their sessions, unless they chose a preferred state. An Available session "
        "fades to AvailableInactive after 5 minutes and to Away after 5 more.",
        examples={
            "in a call": BUSY,
            "available": {**BUSY, "availability": "Available", "activity": "Available"},
            "presenting": {**BUSY, "availability": "DoNotDisturb", "activity": "Presenting"},
        },
        links={
            "read": Link("getPresence", "$request.path.id"),
            "end": Link("clearPresence", "$request.path.id", {"sessionId": "$request.body#/sessionId"}),
        },
    ),
    "clearPresence": _action(
        "End a presence session of an application",
        "404 if the person has no live session with this `sessionId`.",
        examples={"the session of the example of setPresence": {"sessionId": APP}},
    ),
    "setUserPreferredPresence": _action(
        "Choose a preferred state",
        "It shows in place of what the sessions say, as long as there is one.",
        examples={
            "do not disturb": {
                "availability": "DoNotDisturb",
                "activity": "DoNotDisturb",
                "expirationDuration": "PT8H",
            },
            "off work": {"availability": "Offline", "activity": "OffWork"},
        },
    ),
    "clearUserPreferredPresence": _action("Take back the preferred state", **_NONE),
    "setStatusMessage": _action(
        "Publish a status message",
        "Plain text. Empty content takes the message back.",
        examples={
            "a message": {
                "statusMessage": {"message": {"content": "At the dentist until three.", "contentType": "text"}}
            },
            "until a time": {
                "statusMessage": {
                    "message": {"content": "Heads down this month.", "contentType": "text"},
                    "expiryDateTime": {"dateTime": "2099-12-31T17:00:00", "timeZone": "Europe/Berlin"},
                }
            },
            "none": {"statusMessage": {"message": {"content": "", "contentType": "text"}}},
        },
    ),
    "setManualLocation": _location(
        "Say where the person works today",
        examples={"office": {"workLocationType": "office", "placeId": "building-7"}},
    ),
    "setAutomaticLocation": _location(
        "Say where the person was detected today",
        examples={"remote": {"workLocationType": "remote"}},
    ),
    "clearLocation": _location("Forget where the person works today, as said and as detected", **_NONE),
    "clearAutomaticLocation": _location("Forget where the person was detected today", **_NONE),
    "createSubscription": About(
        "Subscriptions",
        "Be told of changes of presence",
        "The endpoint is asked first whether it takes notifications: it must answer with the `validationToken`. "
        "One subscription for each person and application, at most an hour, unless `extensions = true`.",
        success=(201,),
        examples={"one person": SUBSCRIPTION_TO_CREATE},
        answer=entity("subscriptions/$entity", SUBSCRIBED),
        errors={400: _SUBSCRIPTION_REFUSED, 403: ("ExtensionError",), 409: ("ExtensionError",)},
        links={
            "read": Link("getSubscription", "$response.body#/id"),
            "renew": Link(
                "updateSubscription",
                "$response.body#/id",
                {"expirationDateTime": "$request.body#/expirationDateTime"},
            ),
            "reauthorize": Link("reauthorizeSubscription", "$response.body#/id"),
            "delete": Link("deleteSubscription", "$response.body#/id"),
        },
    ),
    "listSubscriptions": About(
        "Subscriptions",
        "The subscriptions of this person and application",
        answer=collection("subscriptions", {**SUBSCRIBED, "clientState": None}),
        links={"read one": Link("getSubscription", "$response.body#/value/0/id")},
    ),
    "getSubscription": About(
        "Subscriptions",
        "Read a subscription",
        answer=entity("subscriptions/$entity", SUBSCRIBED),
        query=("$select", "$expand"),
        errors=_GONE,
        links={"delete": Link("deleteSubscription", "$request.path.id")},
    ),
    "updateSubscription": About(
        "Subscriptions",
        "Renew or change a subscription",
        "Every change also authorises it anew.",
        examples={"renew": {"expirationDateTime": "2026-11-24T13:00:00Z"}},
        answer=entity("subscriptions/$entity", SUBSCRIBED),
        errors={400: _SUBSCRIPTION_REFUSED, 409: ("ExtensionError",), **_GONE},
        links={"read": Link("getSubscription", "$request.path.id")},
    ),
    "deleteSubscription": About(
        "Subscriptions",
        "Delete a subscription",
        success=(204,),
        errors=_GONE,
        links={"read what is gone": Link("getSubscription", "$request.path.id")},
    ),
    "reauthorizeSubscription": About(
        "Subscriptions",
        "Authorise a subscription with this token",
        "Its life does not become longer.",
        success=(204,),
        errors=_GONE,
        body_optional=True,
        links={"read": Link("getSubscription", "$request.path.id")},
    ),
    "getMailboxSettings": About(
        "Mailbox settings",
        "Read automatic replies and the time zone",
        answer=entity(f"users('{PERSON}')/mailboxSettings", SETTINGS),
        query=("$select", "$expand"),
        errors=_OTHER_MAILBOX,
    ),
    "updateMailboxSettings": About(
        "Mailbox settings",
        "Set automatic replies, and so out of office, and the time zone",
        "Members that are left out stay as they are.",
        examples={
            "out of office": {"automaticRepliesSetting": REPLIES},
            "back": {"automaticRepliesSetting": {"status": "disabled"}},
            "scheduled": {
                "automaticRepliesSetting": {
                    "status": "scheduled",
                    "scheduledStartDateTime": {
                        "dateTime": "2099-07-01T00:00:00",
                        "timeZone": "W. Europe Standard Time",
                    },
                    "scheduledEndDateTime": {"dateTime": "2099-07-15T00:00:00", "timeZone": "W. Europe Standard Time"},
                },
                "timeZone": "Europe/Berlin",
            },
        },
        answer=entity(f"users('{PERSON}')/mailboxSettings", SETTINGS),
        errors=_OTHER_MAILBOX,
        links={"read presence": Link("getPresence", "$request.path.id")},
    ),
    "getMe": About(
        "People",
        "Read the person who is signed in",
        answer=entity("users/$entity", USER),
        query=("$select", "$expand"),
        errors=_NOBODY,
        links={"read presence": Link("getPresence", "$response.body#/id")},
    ),
    "listUsers": About(
        "People",
        "Read the people of the tenant, a page at a time",
        answer=collection("users", USER),
        query=("$select", "$top", "$skiptoken"),
        links={"read one": Link("getUser", "$response.body#/value/0/id")},
    ),
    "createUser": About(
        "People",
        "Add a person",
        success=(201,),
        examples={
            "a person": {"userPrincipalName": "robin@sample.example", "displayName": "Robin Hale", "jobTitle": "Guide"}
        },
        answer=entity("users/$entity", USER),
        links={
            "read": Link("getUser", "$response.body#/id"),
            "change": Link("updateUser", "$response.body#/id"),
            "delete": Link("deleteUser", "$response.body#/id"),
            "read presence": Link("getPresence", "$response.body#/id"),
            "set presence": Link("setPresence", "$response.body#/id"),
            "set preferred": Link("setUserPreferredPresence", "$response.body#/id"),
            "set message": Link("setStatusMessage", "$response.body#/id"),
            "set location": Link("setManualLocation", "$response.body#/id"),
            "read mailbox settings": Link("getMailboxSettings", "$response.body#/id"),
            "set mailbox settings": Link("updateMailboxSettings", "$response.body#/id"),
        },
    ),
    "getUser": About(
        "People",
        "Read a person",
        "By object id or userPrincipalName.",
        answer=entity("users/$entity", USER),
        query=("$select", "$expand"),
        errors=_NOBODY,
        links={"read presence": Link("getPresence", "$response.body#/id")},
    ),
    "updateUser": About(
        "People",
        "Change a person",
        "Members that are left out stay as they are; null empties.",
        success=(204,),
        examples={"a new job": {"jobTitle": "Head of Product"}},
        errors=_NOBODY,
        links={"read": Link("getUser", "$request.path.id")},
    ),
    "deleteUser": About(
        "People",
        "Delete a person, and all that is known of them",
        success=(204,),
        errors=_NOBODY,
        links={"read who is gone": Link("getUser", "$request.path.id")},
    ),
    "batch": About(
        "Batch",
        "Up to 20 requests in one",
        "In parallel; each after the one before it; or all after the first (`dependsOn`). What depends on a request "
        "that failed is answered 424. Each is counted by itself.",
        examples={
            "read two, write one": {
                "requests": [
                    {"id": "1", "method": "GET", "url": f"/users/{PERSON}/presence"},
                    {"id": "2", "method": "GET", "url": f"/users/{SECOND_PERSON}"},
                    {
                        "id": "3",
                        "method": "POST",
                        "url": f"/users/{PERSON}/presence/setPresence",
                        "headers": {"Content-Type": "application/json"},
                        "body": BUSY,
                    },
                ]
            }
        },
        answer={
            "responses": [
                {
                    "id": "1",
                    "status": 200,
                    "headers": {"Content-Type": "application/json", "Cache-Control": "no-cache"},
                    "body": entity(f"users('{PERSON}')/presence/$entity", PRESENCE),
                }
            ]
        },
        takes="batchRequest",
        answer_schema="batchResponse",
    ),
    "getServiceDocument": About(
        "Metadata",
        "What there is at this address",
        "The OData service document. It takes no token.",
        answer={
            "@odata.context": "http://localhost:8080/v1.0/$metadata",
            "value": [{"name": "users", "kind": "EntitySet", "url": "users"}],
        },
        query=("$format",),
    ),
    "getMetadata": About(
        "Metadata",
        "The types and actions that are served",
        "CSDL XML 4.0. It takes no token.",
        query=("$format",),
        content_type=XML,
    ),
}
