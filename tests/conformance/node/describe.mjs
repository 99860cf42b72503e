// What the org says of itself: objects, fields, versions, resources, limits.
import { connect, outcome, report } from "./support.mjs";

const connection = connect();
const account = await connection.describe("Account");
const global = await connection.describeGlobal();
const limits = await connection.limits();

report({
  account,
  // Served from jsforce's own cache, under the same name.
  cached: (await connection.sobject("Account").describe$()).name,
  custom: await connection.describe("Invoice__c"),
  global,
  limits,
  usage: connection.limitInfo.apiUsage,
  info: await connection.request("/services/data/v68.0/sobjects/Account"),
  versions: await connection.request("/services/data"),
  resources: await connection.request("/services/data/v68.0"),
  old: (await connect({ version: "50.0" }).describe("Account")).urls.sobject,
  refused: {
    object: await outcome(connection.describe("Acount")),
    version: await outcome(connect({ version: "99.0" }).limits()),
    retired: await outcome(connect({ version: "20.0" }).limits()),
  },
});
