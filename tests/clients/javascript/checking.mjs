// What the checks of both SDKs share.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual, promisify } from "node:util";

export const env = process.env;
export const NADIA = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";
export const TOMAS = "66825e03-7ef5-42da-9069-724602c31f6b";
export const JONAS = "5ca1ab1e-0000-4000-8000-00000000010a";

export const throttled = {
  baseUrl: env.PRESENCED_THROTTLED_BASE_URL_TLS,
  authorityHost: env.PRESENCED_THROTTLED_AUTHORITY_HOST,
};

export const people = () => readFileSync(env.PRESENCED_PEOPLE_FILE, "utf8").split("\n").filter(Boolean);

// a credential of @azure/identity's kind that has a person's token already
export const signedIn = () => ({
  getToken: async () => ({ token: env.PRESENCED_DELEGATED_TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }),
});

export function same(found, wanted) {
  if (!isDeepStrictEqual(found, wanted)) {
    throw new Error(`found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
  }
}

// the error of this kind that a promise must end with
export async function refused(kind, promise) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  throw new Error(`not refused: ${JSON.stringify(answer)?.slice(0, 200)}`);
}

// the lines another program of this folder prints
export async function run(file) {
  const { stdout } = await promisify(execFile)(process.execPath, [new URL(file, import.meta.url).pathname]);
  return stdout.trim().split("\n");
}

// Calls until a 429 has been answered under the SDK's own handlers, and fails if the SDK lets it through.
export async function watched(read) {
  const statuses = [];
  const fetch = globalThis.fetch;
  globalThis.fetch = async (...call) => {
    const answer = await fetch(...call);
    statuses.push(answer.status);
    return answer;
  };
  try {
    for (let calls = 0; calls < 12 && !statuses.includes(429); calls++) {
      same((await read()).id, NADIA);
    }
  } finally {
    globalThis.fetch = fetch;
  }
  same([statuses.includes(429), statuses.at(-1)], [true, 200]);
}
