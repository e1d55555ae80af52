import httpx

from presenced.testing import Presenced

NADIA = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3"
JONAS = "5ca1ab1e-0000-4000-8000-00000000010a"


def activity(graph: httpx.Client, person: str) -> str:
    answer = graph.post("/communications/getPresencesByUserId", json={"ids": [person]})
    return str(answer.json()["value"][0]["activity"])


def test_a_call_ends(presenced: Presenced) -> None:
    graph = presenced.client("httpx")
    presenced.clock.freeze("2026-11-24T09:00:00Z")
    call = {"sessionId": "phone", "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H"}
    graph.post(f"/users/{JONAS}/presence/setPresence", json=call).raise_for_status()
    assert activity(graph, JONAS) == "InACall"
    presenced.clock.advance("PT1H")
    assert activity(graph, JONAS) == "Offline"


def test_everybody_is_as_before(presenced: Presenced) -> None:
    graph = presenced.client("httpx")
    assert activity(graph, NADIA) == "InAMeeting"
    assert activity(graph, JONAS) == "Offline"
