// The checks of all JavaScript SDKs, by the contract in ../README.md.
const sdks = {
  "microsoft-graph-client": "./checks-graph-client.mjs",
  "msgraph-sdk-js": "./checks-msgraph-sdk.mjs",
};

const loaded = {};
for (const [sdk, file] of Object.entries(sdks)) loaded[sdk] = (await import(file)).checks;
const known = Object.entries(loaded).flatMap(([sdk, checks]) => Object.keys(checks).map((check) => `${sdk}/${check}`));

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(" ")}; known are ${known.join(" ")}`);
  process.exit(2);
}

let failed = false;
for (const name of asked.length > 0 ? asked : known) {
  const [sdk, check] = name.split("/");
  try {
    await loaded[sdk][check]();
    console.log(`ok ${name}`);
  } catch (error) {
    failed = true;
    console.error(error);
    const reason = `${error?.name}: ${error?.message || error?.error?.message || error?.messageEscaped || error}`;
    console.log(`not ok ${name}: ${reason.replaceAll(/\s+/g, " ").slice(0, 300)}`);
  }
}
process.exit(failed ? 1 : 0);
