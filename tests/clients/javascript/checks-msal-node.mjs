// Every grant that MSAL for Node.js, as published, offers without a browser.
import {
  ConfidentialClientApplication,
  CryptoProvider,
  PublicClientApplication,
  ServerError,
} from "@azure/msal-node";
import { X509Certificate } from "node:crypto";
import { env, refused, same } from "./checking.mjs";
import {
  API,
  DEFAULT,
  OTHER,
  READ,
  assertion,
  authority,
  certificate,
  signInAt,
  withDeviceCode,
  worksForApp,
  worksForPerson,
  worksNowhere,
} from "./signing-in.mjs";

const knownAuthorities = [new URL(authority).host]; // else MSAL asks login.microsoftonline.com about this authority

const program = () =>
  new PublicClientApplication({ auth: { clientId: env.PRESENCED_DELEGATED_CLIENT_ID, authority, knownAuthorities } });

const confidential = (clientId, proof) =>
  new ConfidentialClientApplication({ auth: { clientId, authority, knownAuthorities, ...proof } });

const site = () => confidential(env.PRESENCED_SITE_CLIENT_ID, { clientSecret: env.PRESENCED_SITE_CLIENT_SECRET });

async function alone(clientId, proof) {
  const app = confidential(clientId, proof);
  const ask = () => app.acquireTokenByClientCredential({ scopes: [DEFAULT] });
  await worksForApp((await ask()).accessToken);
  same((await ask()).fromCache, true);
}

const byPassword = (app, scope = READ, password = env.PRESENCED_PASSWORD) =>
  app.acquireTokenByUsernamePassword({ scopes: [scope], username: env.PRESENCED_USER, password });

async function person(answer) {
  await worksForPerson(answer.accessToken);
  const { username, tenantId, homeAccountId, localAccountId } = answer.account;
  same([username, tenantId], [env.PRESENCED_USER, env.AZURE_TENANT_ID]);
  same(homeAccountId, `${localAccountId}.${tenantId}`);
}

// the sign-in page's code, redeemed, and not twice
async function byCode(app, redirectUri, { challenge, verifier } = {}) {
  const asked = { scopes: [READ], redirectUri, responseMode: "query", nonce: "javascript" };
  const pkce = challenge ? { codeChallenge: challenge, codeChallengeMethod: "S256" } : {};
  const code = await signInAt(await app.getAuthCodeUrl({ ...asked, ...pkce }));
  const redeem = () => app.acquireTokenByCode({ scopes: [READ], redirectUri, code, codeVerifier: verifier });
  const answer = await redeem();
  await person(answer);
  same(answer.idTokenClaims.nonce, "javascript");
  const error = await refused(ServerError, redeem());
  same(error.errorCode, "invalid_grant");
}

export const checks = {
  "sign-in-client-secret": async () => {
    await alone(env.AZURE_CLIENT_ID, { clientSecret: env.AZURE_CLIENT_SECRET });
    const wrong = confidential(env.AZURE_CLIENT_ID, { clientSecret: "wrong" });
    const error = await refused(ServerError, wrong.acquireTokenByClientCredential({ scopes: [DEFAULT] }));
    same(error.errorCode, "invalid_client");
  },

  "sign-in-client-certificate": async () => {
    const { fingerprint256 } = new X509Certificate(certificate());
    const clientCertificate = { thumbprintSha256: fingerprint256.replaceAll(":", ""), privateKey: certificate() };
    await alone(env.PRESENCED_CERTIFICATE_CLIENT_ID, { clientCertificate });
  },

  "sign-in-client-assertion": () => alone(env.PRESENCED_CERTIFICATE_CLIENT_ID, { clientAssertion: assertion }),

  "sign-in-username-password": async () => {
    await person(await byPassword(program()));
    const error = await refused(ServerError, byPassword(program(), READ, "wrong"));
    same([error.errorCode, error.message.includes("AADSTS50126")], ["invalid_grant", true]);
  },

  "sign-in-device-code": async () => {
    const begin = (deviceCodeCallback) => program().acquireTokenByDeviceCode({ scopes: [READ], deviceCodeCallback });
    await person(await withDeviceCode(begin));
  },

  "sign-in-on-behalf-of": async () => {
    const { accessToken } = await byPassword(program(), API);
    await worksNowhere(accessToken);
    await person(await site().acquireTokenOnBehalfOf({ scopes: [DEFAULT], oboAssertion: accessToken }));
  },

  "sign-in-authorization-code": () => byCode(site(), env.PRESENCED_SITE_REDIRECT_URI),

  "sign-in-authorization-code-pkce": async () => {
    const pkce = await new CryptoProvider().generatePkceCodes();
    await byCode(program(), "http://localhost", pkce);
    const other = await new CryptoProvider().generatePkceCodes();
    const error = await refused(ServerError, byCode(program(), "http://localhost", { ...pkce, verifier: other.verifier }));
    same(error.errorCode, "invalid_grant");
  },

  "sign-in-refresh-token": async () => {
    const first = program();
    await byPassword(first);
    const [{ secret }] = Object.values(JSON.parse(first.getTokenCache().serialize()).RefreshToken);
    await person(await program().acquireTokenByRefreshToken({ scopes: [READ], refreshToken: secret }));
    const nonsense = program().acquireTokenByRefreshToken({ scopes: [READ], refreshToken: "nonsense" });
    same((await refused(ServerError, nonsense)).errorCode, "invalid_grant");
  },

  "sign-in-silent": async () => {
    const first = program();
    await byPassword(first);
    const app = program(); // the same program, started again
    app.getTokenCache().deserialize(first.getTokenCache().serialize());
    const [account] = await app.getTokenCache().getAllAccounts();
    const silent = (scope, forceRefresh) => app.acquireTokenSilent({ account, scopes: [scope], forceRefresh });
    const cached = await silent(READ, false);
    same(cached.fromCache, true);
    await person(cached);
    const renewed = await silent(READ, true);
    same([renewed.fromCache, renewed.accessToken === cached.accessToken], [false, false]);
    await person(renewed);
    // another permission, by the refresh token
    same((await silent(OTHER, false)).fromCache, false);
  },
};
