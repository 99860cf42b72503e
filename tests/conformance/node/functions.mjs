// What jsforce finds, and what it calls: SOSL, Apex REST, invocable actions, quick actions, layouts.
import { connect, outcome, report } from "./support.mjs";

const connection = connect();
const account = await connection.sobject("Account").create({ Name: "Acme Searchlight" });

const found = await connection.search("FIND {Searchlight} IN NAME FIELDS RETURNING Account(Id, Name)");
const nothing = await connection.search("FIND {Nowhere} RETURNING Account(Id)");
const malformed = await outcome(connection.search("FIND Searchlight"));

const posted = await connection.apex.post("/orders/v1", { sku: "X1" });
const got = await connection.apex.get("/orders/v1/X1?full=true");
const removed = await connection.apex.delete("/orders/v1/X1");
const unknown = await outcome(connection.apex.get("/nowhere"));
const failing = await outcome(connection.apex.post("/orders/v1", {}));

const actions = await connection.request("/actions/standard");
const greet = (...names) =>
  connection.requestPost("/actions/custom/flow/Greet", { inputs: names.map((name) => ({ name })) });
const invoked = await greet("Marie");
const refused = await outcome(greet("Marie", ""));

const quick = await connection.quickActions();
const quickOfAccount = await connection.sobject("Account").quickActions();
const layouts = await connection.sobject("Account").layouts();
const compact = await connection.sobject("Account").compactLayouts();
const approval = await connection.sobject("Account").approvalLayouts();

report({
  account, found, nothing, malformed, posted, got, removed, unknown, failing, actions, invoked,
  refused, quick, quickOfAccount, layouts, compact, approval,
});
