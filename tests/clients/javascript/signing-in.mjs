// What the checks of @azure/identity and MSAL share: somebody who signs in without a browser, and what a token is good for.
import { X509Certificate, createPrivateKey, randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { JONAS, NADIA, TOMAS, env, same } from "./checking.mjs";

export const DEFAULT = "https://graph.microsoft.com/.default";
export const READ = "https://graph.microsoft.com/Presence.Read.All";
export const OTHER = "https://graph.microsoft.com/User.Read";

export const authority = `${env.AZURE_AUTHORITY_HOST}/${env.AZURE_TENANT_ID}`;
export const certificate = () => readFileSync(env.PRESENCED_CERTIFICATE_FILE, "utf8");
// the permission to call the API that then calls Graph on behalf of people
export const API = `api://${env.PRESENCED_SITE_CLIENT_ID}/access_as_user`;

async function read(token, path) {
  const answer = await fetch(`${env.GRAPH_BASE_URL_TLS}${path}`, { headers: { Authorization: `Bearer ${token}` } });
  return { status: answer.status, ...(await answer.json()) };
}

// the token is an app's own: it reads anybody, and is nobody
export async function worksForApp(token) {
  const nadia = await read(token, `/users/${NADIA}/presence`);
  same([nadia.status, nadia.id, nadia.availability], [200, NADIA, "Busy"]);
  const nobody = await read(token, "/me/presence");
  same([nobody.status >= 400, nobody.id], [true, undefined]);
}

// the token is PRESENCED_USER's, with the permission to read everybody
export async function worksForPerson(token) {
  const everyone = await read(token, `/users/${JONAS}/presence`);
  same([everyone.status, everyone.id], [200, JONAS]);
  const own = await read(token, "/me/presence");
  same([own.status, own.id], [200, TOMAS]);
}

// a token for something else than Graph
export async function worksNowhere(token) {
  same((await read(token, "/me/presence")).status, 401);
}

// what an app with a key makes by itself to prove that it is it
export async function assertion() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const [id, now] = [env.PRESENCED_CERTIFICATE_CLIENT_ID, Math.floor(Date.now() / 1000)];
  const fingerprint = new X509Certificate(certificate()).fingerprint256.replaceAll(":", "");
  const header = { alg: "RS256", typ: "JWT", "x5t#S256": Buffer.from(fingerprint, "hex").toString("base64url") };
  const claims = { iss: id, sub: id, aud: `${authority}/v2.0`, nbf: now, exp: now + 600, jti: randomUUID() };
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), createPrivateKey(certificate())).toString("base64url")}`;
}

// a browser without a screen: keeps cookies, fills in forms, and follows no redirection
function browser() {
  const cookies = new Map();
  const open = async (url, form) => {
    const headers = { Cookie: [...cookies].map((cookie) => cookie.join("=")).join("; ") };
    const method = form ? "POST" : "GET";
    const answer = await fetch(url, { method, headers, body: form && new URLSearchParams(form), redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) cookies.set(...line.split(";")[0].split(/=(.*)/s, 2));
    return { url, status: answer.status, location: answer.headers.get("location"), text: await answer.text() };
  };
  const submit = (page, having, fields) => {
    const forms = page.text.matchAll(/<form method="post" action="([^"]*)"[^>]*>(.*?)<\/form>/gs);
    const form = [...forms].find(([, , inner]) => inner.includes(`name="${having}"`));
    if (!form) throw new Error(`no form with ${having}: ${page.status} ${page.text}`);
    const hidden = [...form[2].matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
    const kept = Object.fromEntries(hidden.map(([, name, value]) => [name, unescaped(value)]));
    return open(new URL(unescaped(form[1]), page.url).href, { ...kept, ...fields });
  };
  return { open, submit };
}

const unescaped = (text) =>
  text.replaceAll(/&(?:#(\d+)|(lt|gt|quot|amp));/g, (_, code, name) =>
    code ? String.fromCodePoint(code) : { lt: "<", gt: ">", quot: '"', amp: "&" }[name],
  );

const person = { username: env.PRESENCED_USER, password: env.PRESENCED_PASSWORD, sign_in: "1" };

// the code that the sign-in page at the URL sends back to the app
export async function signInAt(url) {
  const { open, submit } = browser();
  const done = await submit(await open(url), "password", person);
  if (done.status !== 302) throw new Error(`the sign-in page led nowhere: ${done.status} ${done.text}`);
  const back = new URL(done.location);
  const code = back.searchParams.get("code");
  if (!code) throw new Error(`no code came back: ${back.search}`);
  return code;
}

// What `begin` ends with when the device code it gives its argument is entered. A code that cannot be is an error too.
export function withDeviceCode(begin) {
  return new Promise((resolve, reject) => {
    begin(({ verificationUri, userCode }) => enter(verificationUri, userCode).catch(reject)).then(resolve, reject);
  });
}

async function enter(url, code) {
  const { open, submit } = browser();
  const page = await submit(await open(url), "user_code", { user_code: code });
  const done = await submit(page, "password", person);
  if (!done.text.includes("You are signed in")) throw new Error(`the device is not signed in: ${done.text}`);
}
