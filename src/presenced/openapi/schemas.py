"""Schemas: the JSON that is taken and answered, from the structs that read and write it.

msgspec says what a struct's JSON is; this adds what only the rules know: what is required, the values there are, and
lengths. Structs that take a request leave everything optional, so that a refusal can name what is missing in Graph's
words. Names are those of Graph's resources.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from presenced.graph.batch import MOST_REQUESTS
from presenced.graph.errors import Envelope
from presenced.graph.model import ENUMS
from presenced.graph.operations import OPERATIONS
from presenced.graph.presences import MOST_IDS
from presenced.graph.subscription_requests import LONGEST_TEXT
from presenced.graph.users import LONGEST_PASSWORD
from presenced.identity.directory import LONGEST
from presenced.presence.actions import LONGEST_SESSION_ID
from presenced.presence.out_of_office import LONGEST_REPLY
from presenced.presence.states import PREFERRED_STATES, SESSION_STATES, State
from presenced.presence.status_message import LONGEST_MESSAGE
from presenced.presence.work_location import LONGEST_PLACE_ID

Schema = dict[str, Any]

TEMPLATE = "#/components/schemas/{name}"

NAMES = {
    "PresencesRequest": "getPresencesByUserIdRequest",
    "Presence": "presence",
    "_StatusMessage": "presenceStatusMessage",
    "_Body": "itemBody",
    "DateTimeTimeZone": "dateTimeTimeZone",
    "_OutOfOffice": "outOfOfficeSettings",
    "_WorkLocation": "userWorkLocation",
    "SetPresence": "setPresenceRequest",
    "ClearPresence": "clearPresenceRequest",
    "SetUserPreferredPresence": "setUserPreferredPresenceRequest",
    "NoParameters": "noParameters",
    "SetStatusMessage": "setStatusMessageRequest",
    "Message": "statusMessageToSet",
    "ItemBody": "itemBodyToSet",
    "SetLocation": "setLocationRequest",
    "NewSubscription": "subscriptionToCreate",
    "SubscriptionChange": "subscriptionUpdate",
    "_Shown": "subscription",
    "_Settings": "mailboxSettings",
    "_Replies": "automaticRepliesSetting",
    "MailboxSettings": "mailboxSettingsUpdate",
    "AutomaticReplies": "automaticRepliesSettingUpdate",
    "Person": "user",
    "_NewPerson": "userToCreate",
    "_PasswordProfile": "passwordProfile",
    "PersonChange": "userUpdate",
    "ServiceResource": "serviceResource",
    "Envelope": "error",
    "_Error": "errorDetails",
    "_InnerError": "innerError",
}
"""From a struct's name to its schema's."""

ANSWERS = (
    "presence", "presenceStatusMessage", "itemBody", "outOfOfficeSettings", "userWorkLocation", "subscription",
    "mailboxSettings", "automaticRepliesSetting", "user", "serviceResource", "error", "errorDetails", "innerError",
)  # fmt: skip
"""What only the server writes, so that it has these members and no others."""

GUID = {"type": "string", "format": "uuid"}
_DATE_TIME = {"type": "string", "format": "date-time"}
_DURATION = {"type": "string", "format": "duration"}
_LOCAL = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,7})?)?$"
_NAME = "^[^\\s@]{1,64}@[^\\s@]{1,190}$"
_CERTIFICATE = {"type": "string", "minLength": 1, "description": "X.509, DER, in base64."}


def _text(longest: int, shortest: int = 0) -> Schema:
    return {"type": "string", "minLength": shortest, "maxLength": longest}


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _words(enum: str) -> Schema:
    return {"type": "string", "enum": [word for word in ENUMS[enum] if word != "unknownFutureValue"]}


def _pairs(states: Iterable[State]) -> list[Schema]:
    return [
        {
            "type": "object",
            "properties": {"availability": {"const": state.availability}, "activity": {"const": state.activity}},
        }
        for state in states
    ]


def _states(states: tuple[State, ...]) -> Schema:
    return {
        "availability": {"type": "string", "enum": list(dict.fromkeys(state.availability for state in states))},
        "activity": {"type": "string", "enum": list(dict.fromkeys(state.activity for state in states))},
    }


_REPLIES = {
    "status": _words("automaticRepliesStatus"),
    "externalAudience": _words("externalAudienceScope"),
}

_PROFILE = {
    name: _nullable({**_text(longest), "pattern": "^[^\\x00-\\x1f\\x7f]*$"}) for name, longest in LONGEST.items()
}

PROPERTIES: dict[str, Schema] = {
    "presence": {
        "id": {"type": "string", "description": "The object id of the person; of nobody, the id as it was asked."}
    },
    "itemBody": {"contentType": {"const": "text"}},
    "presenceStatusMessage": {"publishedDateTime": _DATE_TIME},
    "userWorkLocation": {"source": _words("workLocationSource"), "workLocationType": _words("workLocationType")},
    "getPresencesByUserIdRequest": {
        "ids": {
            "type": "array",
            "items": {"type": "string"},
            "maxItems": MOST_IDS,
            "description": "Object ids, each answered once, in this order.",
        }
    },
    "setPresenceRequest": {
        "sessionId": {**_text(LONGEST_SESSION_ID, 1), "description": "The application's id, or any text of its own."},
        **_states(SESSION_STATES),
        "expirationDuration": _nullable({**_DURATION, "description": "PT5M to PT4H; PT5M if left out."}),
    },
    "clearPresenceRequest": {"sessionId": _text(LONGEST_SESSION_ID, 1)},
    "setUserPreferredPresenceRequest": {
        **_states(PREFERRED_STATES),
        "expirationDuration": _nullable(
            {**_DURATION, "description": "If left out, 7 days; for Busy and DoNotDisturb 1 day."}
        ),
    },
    "itemBodyToSet": {
        "content": _nullable({**_text(LONGEST_MESSAGE), "description": "Empty clears the message."}),
        "contentType": _nullable({"const": "text"}),
    },
    "setLocationRequest": {
        "workLocationType": _words("workLocationType"),
        "placeId": _nullable(_text(LONGEST_PLACE_ID)),
    },
    "dateTimeTimeZone": {
        "dateTime": {
            "type": "string",
            "pattern": _LOCAL,
            "description": "A local time without an offset, such as 2026-10-18T17:05:33.",
        },
        "timeZone": _nullable({"type": "string", "description": "An IANA or a Windows name; UTC if left out."}),
    },
    "subscription": {"id": GUID, "applicationId": GUID, "creatorId": GUID, "expirationDateTime": _DATE_TIME},
    "subscriptionToCreate": {
        "changeType": {"const": "updated"},
        "notificationUrl": {"type": "string", "format": "uri"},
        "lifecycleNotificationUrl": _nullable({"type": "string", "format": "uri"}),
        "resource": {
            "type": "string",
            "description": "communications/presences/{id}, or communications/presences?$filter=id in ('{id}',...).",
        },
        "expirationDateTime": {**_DATE_TIME, "description": "At most an hour away."},
        "clientState": _nullable(_text(LONGEST_TEXT)),
        "encryptionCertificate": _nullable(_CERTIFICATE),
        "encryptionCertificateId": _nullable(_text(LONGEST_TEXT)),
        "latestSupportedTlsVersion": _nullable({"enum": ["v1_0", "v1_1", "v1_2", "v1_3"]}),
        # refused: an ordinary subscription is by webhook
        "vapidPublicKey": {"type": "null"},
        "webPushEncryptionP256dhPublicKey": {"type": "null"},
        "webPushEncryptionSecret": {"type": "null"},
    },
    "subscriptionUpdate": {
        "expirationDateTime": {**_DATE_TIME, "description": "At most an hour away."},
        "notificationUrl": {"type": "string", "format": "uri"},
        "lifecycleNotificationUrl": None,
        "encryptionCertificate": _CERTIFICATE,
        "encryptionCertificateId": _nullable(_text(LONGEST_TEXT)),
    },
    "automaticRepliesSetting": _REPLIES,
    "automaticRepliesSettingUpdate": {
        **{name: _nullable(words) for name, words in _REPLIES.items()},
        "internalReplyMessage": _nullable(_text(LONGEST_REPLY)),
        "externalReplyMessage": _nullable(_text(LONGEST_REPLY)),
    },
    "mailboxSettingsUpdate": {"timeZone": _nullable({"type": "string", "description": "An IANA or a Windows name."})},
    "user": {"id": GUID},
    "userToCreate": {
        **_PROFILE,
        "id": _nullable(GUID),
        "userPrincipalName": {"type": "string", "pattern": _NAME},
    },
    "userUpdate": {**_PROFILE, "userPrincipalName": _nullable({"type": "string", "pattern": _NAME})},
    "passwordProfile": {"password": _nullable(_text(LONGEST_PASSWORD, 1))},
    "serviceResource": {"kind": {"enum": ["EntitySet", "Singleton"]}},
    "innerError": {"date": {"type": "string"}, "request-id": GUID},
}
"""What replaces the schemas of single properties; None takes one out: it is there to be refused."""

REQUIRED = {
    "getPresencesByUserIdRequest": ["ids"],
    "setPresenceRequest": ["sessionId", "availability", "activity"],
    "clearPresenceRequest": ["sessionId"],
    "setUserPreferredPresenceRequest": ["availability", "activity"],
    "setStatusMessageRequest": ["statusMessage"],
    "setLocationRequest": ["workLocationType"],
    "dateTimeTimeZone": ["dateTime"],
    "subscriptionToCreate": ["changeType", "notificationUrl", "resource", "expirationDateTime"],
    "userToCreate": ["userPrincipalName"],
}
"""What a request must hold although its struct lets it be left out."""

MORE: dict[str, Schema] = {
    "setPresenceRequest": {"oneOf": _pairs(SESSION_STATES)},
    "setUserPreferredPresenceRequest": {"oneOf": _pairs(PREFERRED_STATES)},
}

_JSON_OBJECT = {"type": ["object", "null"], "description": "JSON, or base64url text if the Content-Type is not JSON."}

BATCH: dict[str, Schema] = {
    "batchRequest": {
        "type": "object",
        "properties": {
            "requests": {
                "type": "array",
                "maxItems": MOST_REQUESTS,
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {**_text(256, 1), "description": "Unique in the batch, letter case aside."},
                        "method": {"enum": ["GET", "POST", "PATCH", "DELETE"]},
                        "url": {"type": "string", "description": "Relative, such as /me/presence."},
                        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                        "body": _JSON_OBJECT,
                        "dependsOn": {"type": "array", "items": {"type": "string"}},
                    },
                    "required": ["id", "method", "url"],
                },
            }
        },
        "required": ["requests"],
    },
    "batchResponse": {
        "type": "object",
        "properties": {
            "responses": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string"},
                        "status": {"type": "integer", "minimum": 200, "maximum": 599},
                        "headers": {
                            "type": "object",
                            "additionalProperties": {"type": "string"},
                            "required": ["Content-Type"],
                        },
                        "body": {"description": "JSON, or base64url text if the Content-Type is not JSON."},
                    },
                    "required": ["id", "status", "headers"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["responses"],
        "additionalProperties": False,
    },
}
"""By hand: a part's body is anybody's JSON, which no struct describes."""


@cache
def components() -> dict[str, Schema]:
    """All schemas by name. Not to be changed."""
    forms = dict.fromkeys(
        form for operation in OPERATIONS for form in (operation.takes, operation.gives) if form is not None
    )
    _, found = msgspec.json.schema_components([*forms, Envelope], ref_template=TEMPLATE)
    return {NAMES[name]: _refined(NAMES[name], schema) for name, schema in found.items()} | BATCH


def reference(form: type[Any]) -> Schema:
    """A reference to the schema of a struct."""
    return {"$ref": TEMPLATE.format(name=NAMES[form.__name__])}


def _refined(name: str, schema: Schema) -> Schema:
    properties = {key: _renamed(value) for key, value in schema["properties"].items()}
    for key, value in PROPERTIES.get(name, {}).items():
        if value is None:
            del properties[key]
        else:
            properties[key] = {**properties[key], **value} if "type" in properties[key] else value
    refined: Schema = {"type": "object", "properties": properties}
    required = REQUIRED.get(name, schema.get("required", []))
    if required:
        refined["required"] = required
    if name in ANSWERS:
        refined["additionalProperties"] = False
    return refined | MORE.get(name, {})


def _renamed(schema: Any) -> Any:
    """The schema with Graph's names in its references, and without defaults of null, which only mean "left out"."""
    if isinstance(schema, dict):
        return {
            key: TEMPLATE.format(name=NAMES[value.rpartition("/")[2]]) if key == "$ref" else _renamed(value)
            for key, value in schema.items()
            if not (key == "default" and value is None)
        }
    return [_renamed(value) for value in schema] if isinstance(schema, list) else schema
