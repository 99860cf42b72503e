// What the scripts share: settings from standard input, a connection, outcomes and the one JSON answer.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

// jsforce is a CommonJS package.
export const jsforce = createRequire(import.meta.url)("jsforce");

export const settings = JSON.parse(readFileSync(0, "utf8"));

export const oauth2 = (given = {}) => ({
  loginUrl: settings.url,
  clientId: settings.client_id,
  clientSecret: settings.client_secret,
  ...given,
});

export const connect = (given = {}) =>
  new jsforce.Connection({
    instanceUrl: settings.url,
    accessToken: settings.access_token,
    version: settings.version ?? "68.0",
    ...given,
  });

// A promise's value, or what jsforce makes of a refusal.
export const outcome = async (promise) => {
  try {
    return { value: await promise };
  } catch (error) {
    return { error: { name: error.name, code: error.errorCode, message: error.message, data: error.data } };
  }
};

export const report = (result) => {
  process.stdout.write(JSON.stringify(result));
};
