// Every grant that @azure/identity, as published, offers without a browser.
import {
  AuthenticationRequiredError,
  AuthorizationCodeCredential,
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  DeviceCodeCredential,
  OnBehalfOfCredential,
  UsernamePasswordCredential,
} from "@azure/identity";
import { env, refused, same } from "./checking.mjs";
import {
  API,
  DEFAULT,
  OTHER,
  READ,
  assertion,
  authority,
  signInAt,
  withDeviceCode,
  worksForApp,
  worksForPerson,
  worksNowhere,
} from "./signing-in.mjs";

const tenantId = env.AZURE_TENANT_ID;
const options = { authorityHost: env.AZURE_AUTHORITY_HOST, disableInstanceDiscovery: true };
const program = env.PRESENCED_DELEGATED_CLIENT_ID;
const site = { id: env.PRESENCED_SITE_CLIENT_ID, secret: env.PRESENCED_SITE_CLIENT_SECRET };

async function app(credential) {
  await worksForApp((await credential.getToken(DEFAULT)).token);
}

const withPassword = (password) =>
  new UsernamePasswordCredential(tenantId, program, env.PRESENCED_USER, password, options);

export const checks = {
  "sign-in-client-secret": async () => {
    await app(new ClientSecretCredential(tenantId, env.AZURE_CLIENT_ID, env.AZURE_CLIENT_SECRET, options));
    const wrong = new ClientSecretCredential(tenantId, env.AZURE_CLIENT_ID, "wrong", options);
    const error = await refused(Error, wrong.getToken(DEFAULT));
    same([error.name, error.message.includes("AADSTS7000215")], ["AuthenticationRequiredError", true]);
  },

  "sign-in-client-certificate": async () => {
    const { PRESENCED_CERTIFICATE_CLIENT_ID: id, PRESENCED_CERTIFICATE_FILE: file } = env;
    await app(new ClientCertificateCredential(tenantId, id, file, options));
    await app(new ClientCertificateCredential(tenantId, id, file, { ...options, sendCertificateChain: true }));
  },

  "sign-in-client-assertion": () =>
    app(new ClientAssertionCredential(tenantId, env.PRESENCED_CERTIFICATE_CLIENT_ID, assertion, options)),

  "sign-in-username-password": async () => {
    await worksForPerson((await withPassword(env.PRESENCED_PASSWORD).getToken(READ)).token);
    const error = await refused(Error, withPassword("wrong").getToken(READ));
    same(error.message.includes("AADSTS50126"), true);
  },

  "sign-in-device-code": async () => {
    let prompted = 0;
    let userPromptCallback;
    const credential = new DeviceCodeCredential({
      ...options,
      tenantId,
      clientId: program,
      userPromptCallback: (info) => userPromptCallback(info),
    });
    const record = await withDeviceCode((entered) => {
      userPromptCallback = (info) => {
        prompted += 1;
        entered(info);
      };
      return credential.authenticate([READ]);
    });
    same([record.username, record.tenantId], [env.PRESENCED_USER, tenantId]);
    await worksForPerson((await credential.getToken(READ)).token);
    // another permission, by the refresh token
    same(typeof (await credential.getToken(OTHER)).token, "string");
    same(prompted, 1);
  },

  "sign-in-on-behalf-of": async () => {
    const userAssertionToken = (await withPassword(env.PRESENCED_PASSWORD).getToken(API)).token;
    await worksNowhere(userAssertionToken);
    const app = { tenantId, clientId: site.id, clientSecret: site.secret };
    const credential = new OnBehalfOfCredential({ ...options, ...app, userAssertionToken });
    await worksForPerson((await credential.getToken(DEFAULT)).token);
  },

  "sign-in-authorization-code": async () => {
    const uri = env.PRESENCED_SITE_REDIRECT_URI;
    // this credential knows no PKCE
    const query = new URLSearchParams({ client_id: site.id, response_type: "code", redirect_uri: uri, scope: DEFAULT });
    const code = await signInAt(`${authority}/oauth2/v2.0/authorize?${query}`);
    const redeem = () => new AuthorizationCodeCredential(tenantId, site.id, site.secret, code, uri, options);
    await worksForPerson((await redeem().getToken(DEFAULT)).token);
    const error = await refused(AuthenticationRequiredError, redeem().getToken(DEFAULT));
    same(error.message.includes("AADSTS54005"), true);
  },
};
