// The checklist (../README.md) by @microsoft/msgraph-sdk, as published, with its packages of users and subscriptions.
// Its package of communications is not published, so what is under /communications goes through its request adapter.
import { ClientSecretCredential } from "@azure/identity";
import { Duration, HttpMethod, RequestInformation } from "@microsoft/kiota-abstractions";
import { AzureIdentityAuthenticationProvider } from "@microsoft/kiota-authentication-azure";
import { GraphRequestAdapter, createGraphServiceClient } from "@microsoft/msgraph-sdk";
import { BatchRequestContent } from "@microsoft/msgraph-sdk-core";
import { BodyTypeObject, WorkLocationTypeObject, createPresenceFromDiscriminatorValue } from "@microsoft/msgraph-sdk/models/index.js";
import { createODataErrorFromDiscriminatorValue } from "@microsoft/msgraph-sdk/models/oDataErrors/index.js";
import "@microsoft/msgraph-sdk-subscriptions";
import "@microsoft/msgraph-sdk-users";
import { randomUUID } from "node:crypto";
import { JONAS, NADIA, TOMAS, env, people, refused, run, same, signedIn, throttled, watched } from "./checking.mjs";

const errors = { XXX: createODataErrorFromDiscriminatorValue };
// its typed error is no class of its own, but knows what Graph answered
const ODataError = { [Symbol.hasInstance]: (error) => typeof error?.responseStatusCode === "number" && "errorEscaped" in error };

function app(authorityHost = env.AZURE_AUTHORITY_HOST) {
  return new ClientSecretCredential(env.AZURE_TENANT_ID, env.AZURE_CLIENT_ID, env.AZURE_CLIENT_SECRET, {
    authorityHost,
    disableInstanceDiscovery: true,
  });
}

function connect(credential = app(), baseUrl = env.GRAPH_BASE_URL_TLS) {
  const scopes = ["https://graph.microsoft.com/.default"];
  const hosts = new Set([new URL(baseUrl).hostname]);
  const adapter = new GraphRequestAdapter(new AzureIdentityAuthenticationProvider(credential, scopes, undefined, hosts));
  adapter.baseUrl = baseUrl;
  return { adapter, client: createGraphServiceClient(adapter) };
}

const presences = (_) => (into = {}) => ({
  value: (node) => {
    into.value = node.getCollectionOfObjectValues(createPresenceFromDiscriminatorValue);
  },
});

async function ask(adapter, ids) {
  const request = new RequestInformation(HttpMethod.POST, "{+baseurl}/communications/getPresencesByUserId", {
    baseurl: adapter.baseUrl,
  });
  request.headers.tryAdd("Accept", "application/json");
  request.setContentFromParsable(adapter, "application/json", { ids }, (writer, body) =>
    writer.writeCollectionOfPrimitiveValues("ids", body.ids),
  );
  return (await adapter.send(request, presences, errors)).value;
}

export const checks = {
  snippet: async () => {
    same(await run("first-presence-msgraph-sdk.mjs"), [`${NADIA} Busy InAMeeting`, `${TOMAS} Away Away`]);
  },

  "ids-650": async () => {
    const ids = people();
    same(ids.length, 650);
    const found = await ask(connect().adapter, ids);
    same(found.map((presence) => presence.id), ids);
    same(found.filter((presence) => presence.availability === "PresenceUnknown"), []);
  },

  "ids-651": async () => {
    const error = await refused(ODataError, ask(connect().adapter, [...people(), randomUUID()]));
    same([error.responseStatusCode, error.errorEscaped.code], [400, "InvalidArgument"]);
    same(error.errorEscaped.message.includes("650"), true);
  },

  reads: async () => {
    const { adapter, client } = connect();
    const nadia = await client.users.byUserId(NADIA).presence.get();
    same([nadia.id, nadia.availability, nadia.activity], [NADIA, "Busy", "InAMeeting"]);
    const one = new RequestInformation(HttpMethod.GET, "{+baseurl}/communications/presences/{id}", {
      baseurl: adapter.baseUrl,
      id: TOMAS,
    });
    one.headers.tryAdd("Accept", "application/json");
    const tomas = await adapter.send(one, createPresenceFromDiscriminatorValue, errors);
    same([tomas.id, tomas.availability], [TOMAS, "Away"]);
    const person = connect(signedIn()).client;
    const me = await person.me.get();
    const own = await person.me.presence.get();
    same([me.userPrincipalName, own.id], [env.PRESENCED_USER, me.id]);
    const error = await refused(ODataError, client.users.byUserId(randomUUID()).presence.get());
    same([error.responseStatusCode, error.errorEscaped.code], [404, "NotFound"]);
  },

  actions: async () => {
    const { adapter, client } = connect();
    const presence = client.users.byUserId(JONAS).presence;
    const seen = async () => {
      const [jonas] = await ask(adapter, [JONAS]);
      return [jonas.availability, jonas.activity];
    };
    const sessionId = "msgraph-sdk";
    const hour = new Duration({ hours: 1 });
    const dayAndMore = new Duration({ days: 1, hours: 8 });
    await presence.setPresence.post({ sessionId, availability: "Busy", activity: "InACall", expirationDuration: hour });
    same(await seen(), ["Busy", "InACall"]);
    const away = { availability: "Away", activity: "Away", expirationDuration: dayAndMore };
    await presence.setUserPreferredPresence.post(away);
    same(await seen(), ["Away", "Away"]);
    await presence.clearUserPreferredPresence.post();
    same(await seen(), ["Busy", "InACall"]);
    await presence.clearPresence.post({ sessionId });
    same(await seen(), ["Offline", "Offline"]);

    const message = { content: "Grüße ☕", contentType: BodyTypeObject.Text };
    const expiryDateTime = { dateTime: "2999-10-18T17:05:33.2079781", timeZone: "Pacific Standard Time" };
    await presence.setStatusMessage.post({ statusMessage: { message, expiryDateTime } });
    same((await presence.get()).statusMessage.message.content, "Grüße ☕");
    const nothing = { message: { content: "", contentType: BodyTypeObject.Text } };
    await presence.setStatusMessage.post({ statusMessage: nothing });
    same((await presence.get()).statusMessage?.message, undefined);

    // the location actions are for people only
    const own = connect(signedIn()).client.me.presence;
    const where = async () => (await own.get()).workLocation?.workLocationType ?? WorkLocationTypeObject.Unspecified;
    await own.setManualLocation.post({ workLocationType: WorkLocationTypeObject.Remote });
    same(await where(), WorkLocationTypeObject.Remote);
    await own.clearLocation.post();
    same(await where(), WorkLocationTypeObject.Unspecified);
    await own.setAutomaticLocation.post({ workLocationType: WorkLocationTypeObject.Office });
    same(await where(), WorkLocationTypeObject.Office);
    await own.clearAutomaticLocation.post();
    same(await where(), WorkLocationTypeObject.Unspecified);
  },

  // This preview of the SDK reads the status of each part, and not its body when that is JSON; and it cannot write the
  // headers of a part, so that Graph, and so this server, refuses an action in it.
  batch: async () => {
    const { adapter, client } = connect();
    const jonas = client.users.byUserId(JONAS).presence;
    const content = new BatchRequestContent(adapter, errors);
    const reads = [
      jonas.toGetRequestInformation(),
      client.users.byUserId(NADIA).presence.toGetRequestInformation(),
      client.users.byUserId(randomUUID()).presence.toGetRequestInformation(),
    ];
    for (const [place, read] of reads.entries()) content.addBatchRequest(read, `${place}`);
    const statuses = await (await content.postAsync()).getResponsesStatusCodes();
    same([...statuses].sort(), [["0", 200], ["1", 200], ["2", 404]]);

    const withAction = new BatchRequestContent(adapter, errors);
    const busy = { sessionId: "batch", availability: "Busy", activity: "InACall" };
    withAction.addBatchRequest(jonas.setPresence.toPostRequestInformation(busy));
    const error = await refused(ODataError, withAction.postAsync());
    same([error.responseStatusCode, error.errorEscaped.message.includes("Content-Type")], [400, true]);
  },

  subscriptions: async () => {
    const { client } = connect(signedIn());
    const in_ = (minutes) => new Date(Date.now() + minutes * 60_000);
    const ends = in_(50); // less than 45 minutes is made 45
    const made = await client.subscriptions.post({
      changeType: "updated",
      notificationUrl: env.PRESENCED_NOTIFICATION_URL,
      resource: `/communications/presences/${NADIA}`,
      expirationDateTime: ends,
      clientState: "msgraph-sdk",
    });
    const one = client.subscriptions.bySubscriptionId(made.id);
    same((await one.get()).expirationDateTime, ends);
    const later = in_(58);
    same((await one.patch({ expirationDateTime: later })).expirationDateTime, later);
    await one.delete();
    same((await refused(ODataError, one.get())).responseStatusCode, 404);
  },

  "retry-429": async () => {
    const { client } = connect(app(throttled.authorityHost), throttled.baseUrl);
    await watched(() => client.users.byUserId(NADIA).presence.get());
  },
};
