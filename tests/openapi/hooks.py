"""Hooks: what schemathesis cannot know from the document alone, loaded into its process by test_contract.py.

An endpoint that takes notifications, an instant that lies ahead, durations that are in range now and then. And what was
answered is noted, so that the test can say that each operation was also done, not only refused.
"""

import atexit
import json
import os
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st

_RECEIVER = os.environ["CONTRACT_RECEIVER"]
_STATUSES = Path(os.environ["CONTRACT_STATUSES"])
_SOON = (datetime.now(UTC) + timedelta(minutes=55)).strftime("%Y-%m-%dT%H:%M:%SZ")

_statuses: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

schemathesis.openapi.format(
    "duration",
    st.one_of(
        st.integers(5, 240).map("PT{}M".format),
        st.integers(0, 10**6).map("PT{}S".format),
        st.sampled_from(["PT0S", "P1D", "P1W", "P1DT2H3M4.5S", "-PT5M", "P1Y", "P0Y0M0DT1H0M0S", "PT4H", "PT1H30M"]),
    ),
)


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Put a reachable endpoint and a time to come where no example can have them."""
    schemas = raw_schema["components"]["schemas"]
    for name in ("subscriptionToCreate", "subscriptionUpdate"):
        schemas[name]["properties"]["notificationUrl"] = {"const": _RECEIVER}
        schemas[name]["properties"]["expirationDateTime"] = {"const": _SOON}
        schemas[name]["properties"]["encryptionCertificate"] = {"type": "string", "maxLength": 3, "minLength": 1}
    schemas["subscriptionToCreate"]["properties"]["lifecycleNotificationUrl"] = {"enum": [_RECEIVER, None]}
    schemas["subscriptionToCreate"]["properties"]["resource"] = {
        "enum": [
            "communications/presences/fa8bf3dc-eca7-46b7-bad1-db199b62afc3",
            "communications/presences?$filter=id in ('66825e03-7ef5-42da-9069-724602c31f6b')",
        ]
    }
    for path, method in (("/subscriptions", "post"), ("/subscriptions/{id}", "patch")):
        body = raw_schema["paths"][path][method]["requestBody"]["content"]["application/json"]
        for example in body["examples"].values():
            example["value"]["expirationDateTime"] = _SOON
            if "notificationUrl" in example["value"]:
                example["value"]["notificationUrl"] = _RECEIVER


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """An id in a path is not empty: a bulk read answers for whatever was asked, and a link may take it from there."""
    if case.path_parameters.get("id") == "":
        case.path_parameters["id"] = "00000000-0000-4000-8000-000000000000"


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Note what was answered."""
    _statuses[case.operation.label][str(response.status_code)] += 1


@atexit.register
def _write() -> None:
    _STATUSES.write_text(json.dumps(_statuses))
