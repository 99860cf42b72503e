// Composite requests of all kinds through jsforce's raw requests, and its own collections inside their limits.
import { connect, outcome, report } from "./support.mjs";

const connection = connect();
const base = `/services/data/v${connection.version}`;
const post = (path, body) => connection.requestPost(`/composite${path}`, body);
const part = (referenceId, method, path, body) => ({ referenceId, method, url: `${base}/${path}`, ...(body && { body }) });
const names = async (sobject) =>
  (await connection.query(`SELECT Name FROM ${sobject} ORDER BY Name`)).records.map(({ Name }) => Name);

const chained = await post("", {
  compositeRequest: [
    part("account", "POST", "sobjects/Account", { Name: "Chained" }),
    part("contact", "POST", "sobjects/Contact", { LastName: "Of @{account.id}", AccountId: "@{account.id}" }),
    part("found", "GET", `query?q=${encodeURIComponent("SELECT Id, (SELECT Id FROM Contacts) FROM Account")}`),
    part("read", "GET", "sobjects/Contact/@{found.records[0].Contacts.records[0].Id}?fields=LastName,AccountId"),
  ],
});
const partial = await post("", {
  compositeRequest: [
    part("bad", "POST", "sobjects/Account", { Phone: "1" }),
    part("child", "POST", "sobjects/Contact", { LastName: "Orphan", AccountId: "@{bad.id}" }),
    part("good", "POST", "sobjects/Account", { Name: "Partial" }),
  ],
});
const rolledBack = await post("", {
  allOrNone: true,
  compositeRequest: [
    part("good", "POST", "sobjects/Account", { Name: "Never" }),
    part("bad", "POST", "sobjects/Account", { Phone: "1" }),
  ],
});
const tooMany = await post("", {
  compositeRequest: Array.from({ length: 26 }, (_, n) => part(`r${n}`, "POST", "sobjects/Account", { Name: "Never" })),
});
const batch = await post("/batch", {
  haltOnError: true,
  batchRequests: [
    { method: "POST", url: `v${connection.version}/sobjects/Account`, richInput: { Name: "Batched" } },
    { method: "GET", url: `v${connection.version}/sobjects/Account/001000000000000AAA` },
    { method: "GET", url: `v${connection.version}/limits` },
  ],
});
const graphs = await post("/graph", {
  graphs: [
    {
      graphId: "1",
      compositeRequest: [
        part("parent", "POST", "sobjects/Account", { Name: "Graph" }),
        part("child", "POST", "sobjects/Account", { Name: "Graph's child", ParentId: "@{parent.id}" }),
      ],
    },
    {
      graphId: "2",
      compositeRequest: [
        part("good", "POST", "sobjects/Account", { Name: "Never" }),
        part("bad", "POST", "sobjects/Account", {}),
      ],
    },
  ],
});
const tree = await post("/tree/Account", {
  records: [
    {
      attributes: { type: "Account", referenceId: "ref1" },
      Name: "Tree",
      Contacts: { records: [{ attributes: { type: "Contact", referenceId: "ref2" }, LastName: "Leaf" }] },
    },
  ],
});
const felled = await outcome(
  post("/tree/Account", { records: [{ attributes: { type: "Account", referenceId: "ref1" }, Phone: "1" }] }),
);

const long = `SELECT Name FROM Account WHERE Name IN (${Array.from({ length: 9000 }, (_, n) => `'${n}'`)},'Tree')`;
const throughUrl = await outcome(connection.request(`/query?q=${encodeURIComponent(long)}`));
const throughBody = await post("", { compositeRequest: [part("q", "GET", `query?q=${encodeURIComponent(long)}`)] });

// jsforce cuts 450 records into collections of 200 if it may.
const many = await connection.create(
  "Lead",
  Array.from({ length: 450 }, (_, n) => ({ LastName: `Lead ${n}`, Company: "Acme" })),
  { allowRecursive: true },
);
const gone = await connection.destroy(
  "Lead",
  many.map(({ id }) => id),
  { allowRecursive: true },
);

report({
  resources: await connection.request("/composite"),
  chained,
  partial,
  rolledBack,
  tooMany,
  batch,
  graphs,
  tree,
  felled,
  throughUrl,
  throughBody,
  accounts: await names("Account"),
  many: new Set(many.filter(({ success }) => success).map(({ id }) => id)).size,
  gone: gone.filter(({ success }) => success).length,
});
