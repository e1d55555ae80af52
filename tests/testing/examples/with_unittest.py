import os
from unittest import IsolatedAsyncioTestCase, main

from presenced.testing import PresencedTests

JONAS = "5ca1ab1e-0000-4000-8000-00000000010a"


class Presence(PresencedTests):
    def test_offline(self) -> None:
        graph = self.presenced.client("httpx")
        self.assertEqual(graph.get(f"/users/{JONAS}/presence").json()["activity"], "Offline")

    def test_the_environment_is_set(self) -> None:
        self.assertEqual(os.environ["GRAPH_BASE_URL"], self.presenced.base_url)


class PresenceAsync(PresencedTests, IsolatedAsyncioTestCase):
    async def test_offline(self) -> None:
        graph = self.presenced.client("python-sdk")
        presence = await graph.users.by_user_id(JONAS).presence.get()
        self.assertEqual(presence.activity if presence else None, "Offline")


if __name__ == "__main__":
    main()
