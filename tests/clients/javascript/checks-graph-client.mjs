// The checklist (../README.md) by @microsoft/microsoft-graph-client, as published.
import { ClientSecretCredential } from "@azure/identity";
import { BatchRequestContent, BatchResponseContent, Client, GraphError } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";
import { randomUUID } from "node:crypto";
import { JONAS, NADIA, TOMAS, env, people, refused, run, same, signedIn, throttled, watched } from "./checking.mjs";

function connect(credential = app(), baseUrl = env.GRAPH_BASE_URL_TLS) {
  const authProvider = new TokenCredentialAuthenticationProvider(credential, {
    scopes: ["https://graph.microsoft.com/.default"],
  });
  const [, root, version] = /^(.*\/)(.*)$/.exec(baseUrl);
  const customHosts = new Set([new URL(baseUrl).hostname]);
  return Client.initWithMiddleware({ authProvider, baseUrl: root, defaultVersion: version, customHosts });
}

function app(authorityHost = env.AZURE_AUTHORITY_HOST) {
  return new ClientSecretCredential(env.AZURE_TENANT_ID, env.AZURE_CLIENT_ID, env.AZURE_CLIENT_SECRET, {
    authorityHost,
    disableInstanceDiscovery: true,
  });
}

const asPerson = () => connect(signedIn());
const ask = async (client, ids) => (await client.api("/communications/getPresencesByUserId").post({ ids })).value;

export const checks = {
  snippet: async () => {
    same(await run("first-presence-graph-client.mjs"), [`${NADIA} Busy InAMeeting`, `${TOMAS} Away Away`]);
  },

  "ids-650": async () => {
    const ids = people();
    same(ids.length, 650);
    const found = await ask(connect(), ids);
    same(found.map((presence) => presence.id), ids);
    same(found.filter((presence) => presence.availability === "PresenceUnknown"), []);
  },

  "ids-651": async () => {
    const error = await refused(GraphError, ask(connect(), [...people(), randomUUID()]));
    same([error.statusCode, error.code, error.message.includes("650")], [400, "InvalidArgument", true]);
  },

  reads: async () => {
    const client = connect();
    const nadia = await client.api(`/users/${NADIA}/presence`).get();
    same([nadia.id, nadia.availability, nadia.activity], [NADIA, "Busy", "InAMeeting"]);
    const tomas = await client.api(`/communications/presences/${TOMAS}`).select(["id", "availability"]).get();
    same([tomas.id, tomas.availability, tomas.activity], [TOMAS, "Away", undefined]);
    const me = await asPerson().api("/me").get();
    const own = await asPerson().api("/me/presence").get();
    same([me.userPrincipalName, own.id], [env.PRESENCED_USER, me.id]);
    const error = await refused(GraphError, client.api(`/users/${randomUUID()}/presence`).get());
    same([error.statusCode, error.code], [404, "NotFound"]);
  },

  actions: async () => {
    const client = connect();
    const act = (action, body) => client.api(`/users/${JONAS}/presence/${action}`).post(body);
    const seen = async () => {
      const [jonas] = await ask(client, [JONAS]);
      return [jonas.availability, jonas.activity];
    };
    const sessionId = "javascript";
    await act("setPresence", { sessionId, availability: "Busy", activity: "InACall", expirationDuration: "PT1H" });
    same(await seen(), ["Busy", "InACall"]);
    await act("setUserPreferredPresence", { availability: "Away", activity: "Away", expirationDuration: "P1DT8H" });
    same(await seen(), ["Away", "Away"]);
    await act("clearUserPreferredPresence");
    same(await seen(), ["Busy", "InACall"]);
    await act("clearPresence", { sessionId });
    same(await seen(), ["Offline", "Offline"]);

    const message = { content: "Grüße ☕", contentType: "text" };
    const expiryDateTime = { dateTime: "2999-10-18T17:05:33.2079781", timeZone: "Pacific Standard Time" };
    await act("setStatusMessage", { statusMessage: { message, expiryDateTime } });
    const read = () => client.api(`/users/${JONAS}/presence`).get();
    same((await read()).statusMessage.message.content, "Grüße ☕");
    await act("setStatusMessage", { statusMessage: { message: { content: "", contentType: "text" } } });
    same((await read()).statusMessage, null);

    // the location actions are for people only
    const person = asPerson();
    const place = (action, body) => person.api(`/me/presence/${action}`).post(body);
    const where = async () => (await person.api("/me/presence").get()).workLocation?.workLocationType ?? "unspecified";
    await place("setManualLocation", { workLocationType: "remote" });
    same(await where(), "remote");
    await place("clearLocation");
    same(await where(), "unspecified");
    await place("setAutomaticLocation", { workLocationType: "office" });
    same(await where(), "office");
    await place("clearAutomaticLocation");
    same(await where(), "unspecified");
  },

  batch: async () => {
    const client = connect();
    const headers = { "Content-Type": "application/json" };
    const get = (path) => new Request(`https://localhost${path}`, { method: "GET" });
    const post = (path, body) =>
      new Request(`https://localhost${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    const busy = { sessionId: "batch", availability: "Busy", activity: "InACall" };
    const content = new BatchRequestContent([
      { id: "1", request: post(`/users/${JONAS}/presence/setPresence`, busy) },
      { id: "2", request: get(`/users/${JONAS}/presence`), dependsOn: ["1"] },
      { id: "3", request: get(`/users/${NADIA}/presence`), dependsOn: ["1"] },
      { id: "4", request: get(`/users/${randomUUID()}/presence`), dependsOn: ["1"] },
      { id: "5", request: post("/communications/getPresencesByUserId", { ids: [TOMAS] }), dependsOn: ["1"] },
    ]);
    const answer = new BatchResponseContent(await client.api("/$batch").post(await content.getContent()));
    const part = (id) => answer.getResponseById(id);
    same(["1", "2", "3", "4", "5"].map((id) => part(id).status), [200, 200, 200, 404, 200]);
    same([(await part("2").json()).activity, (await part("3").json()).activity], ["InACall", "InAMeeting"]);
    same((await part("4").json()).error.code, "NotFound");
    same((await part("5").json()).value[0].availability, "Away");
    await client.api(`/users/${JONAS}/presence/clearPresence`).post({ sessionId: "batch" });
  },

  subscriptions: async () => {
    const client = asPerson();
    const in_ = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
    const ends = in_(50); // less than 45 minutes is made 45
    const made = await client.api("/subscriptions").post({
      changeType: "updated",
      notificationUrl: env.PRESENCED_NOTIFICATION_URL,
      resource: `/communications/presences/${NADIA}`,
      expirationDateTime: ends,
      clientState: "javascript",
    });
    const one = () => client.api(`/subscriptions/${made.id}`);
    same(Date.parse((await one().get()).expirationDateTime), Date.parse(ends));
    const later = in_(58);
    same(Date.parse((await one().patch({ expirationDateTime: later })).expirationDateTime), Date.parse(later));
    await one().delete();
    same((await refused(GraphError, one().get())).statusCode, 404);
  },

  "retry-429": async () => {
    const client = connect(app(throttled.authorityHost), throttled.baseUrl);
    await watched(() => client.api(`/users/${NADIA}/presence`).get());
  },
};
