import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_AUTHORITY_HOST, GRAPH_BASE_URL_TLS } = process.env;
const jonas = "5ca1ab1e-0000-4000-8000-00000000010a";

// region reset
beforeEach(() => fetch(new URL("/presenced/reset", process.env.GRAPH_BASE_URL), { method: "POST" }));
// endregion

async function signIn() {
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: AZURE_CLIENT_ID,
    client_secret: AZURE_CLIENT_SECRET,
    scope: "https://graph.microsoft.com/.default",
  });
  const answer = await fetch(`${AZURE_AUTHORITY_HOST}/${AZURE_TENANT_ID}/oauth2/v2.0/token`, { method: "POST", body });
  return { Authorization: `Bearer ${(await answer.json()).access_token}`, "Content-Type": "application/json" };
}

async function activity(headers) {
  return (await (await fetch(`${GRAPH_BASE_URL_TLS}/users/${jonas}/presence`, { headers })).json()).activity;
}

test("a call shows", async () => {
  const headers = await signIn();
  const body = JSON.stringify({ sessionId: "phone", availability: "Busy", activity: "InACall" });
  await fetch(`${GRAPH_BASE_URL_TLS}/users/${jonas}/presence/setPresence`, { method: "POST", headers, body });
  assert.equal(await activity(headers), "InACall");
});

test("and is gone in the next test", async () => {
  assert.equal(await activity(await signIn()), "Offline");
});
