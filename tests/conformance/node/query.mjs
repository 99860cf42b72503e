// Queries as jsforce sends them: pages, relationships, its query builder, deleted records, refusals.
import { connect, jsforce, outcome, report } from "./support.mjs";

const connection = connect();
const batches = { headers: { "Sforce-Query-Options": "batchSize=200" } };

const ids = (saved) => saved.map(({ id }) => id);
const names = Array.from({ length: 450 }, (_, n) => ({ Name: `Page ${String(n).padStart(3, "0")}` }));
await connection.create("Account", names, { allOrNone: true, allowRecursive: true });
const [parent, childless] = ids(
  await connection.create("Account", [{ Name: "Parent", Industry: "Energy", AnnualRevenue: 12.5 }, { Name: "Childless" }]),
);
await connection.create("Contact", [
  { LastName: "Curie", FirstName: "Marie", AccountId: parent, Birthdate: "1867-11-07" },
  { LastName: "Meitner", FirstName: "Lise", AccountId: parent },
]);

const soql = "SELECT Id, Name FROM Account WHERE Name LIKE 'Page%' ORDER BY Name";
const first = await connection.query(soql, batches);
const second = await connection.queryMore(first.nextRecordsUrl, batches);
const third = await connection.queryMore(second.nextRecordsUrl, batches);
const page = ({ totalSize, done, nextRecordsUrl, records }) => ({
  totalSize,
  done,
  nextRecordsUrl,
  names: records.map(({ Name }) => Name),
});

const fetched = [];
const stream = connection.query(soql, batches);
await new Promise((resolve, reject) => {
  stream.on("record", ({ Name }) => fetched.push(Name));
  stream.on("end", resolve);
  stream.on("error", reject);
  stream.run({ autoFetch: true, maxFetch: 1000 });
});

const [deleted] = ids(await connection.create("Account", [{ Name: "Deleted" }]));
await connection.destroy("Account", deleted);
const withDeleted = "SELECT Id, IsDeleted FROM Account WHERE Name = 'Deleted'";

report({
  parent,
  childless,
  pages: [first, second, third].map(page),
  fetched,
  one: (await connection.query(`SELECT Id, Name, AnnualRevenue FROM Account WHERE Id = '${parent}'`)).records,
  children: (
    await connection.query(
      "SELECT Name, (SELECT LastName, Birthdate FROM Contacts ORDER BY LastName) FROM Account " +
        `WHERE Id IN ('${parent}', '${childless}') ORDER BY Name DESC`,
    )
  ).records,
  parents: (await connection.query("SELECT LastName, Account.Name, Account.Owner.IsActive FROM Contact ORDER BY LastName"))
    .records,
  built: await connection
    .sobject("Account")
    .find({ Name: { $like: "Page 0%" }, Industry: null }, ["Name"])
    .sort({ Name: -1 })
    .limit(3)
    .skip(1),
  included: await connection
    .sobject("Account")
    .find({ Id: parent }, "Name")
    .include("Contacts", { FirstName: { $in: ["Marie", "Otto"] } }, "FirstName")
    .end(),
  found: await connection.sobject("Account").findOne({ Industry: "Energy" }, "Name"),
  count: await connection.query("SELECT COUNT() FROM Contact"),
  counted: await connection.sobject("Account").count({ Name: { $like: "Page 1%" } }),
  today: await connection.sobject("Contact").count({ CreatedDate: { $gte: jsforce.SfDate.TODAY } }),
  deleted: {
    id: deleted,
    seen: (await connection.query(withDeleted)).totalSize,
    scanned: (await connection.query(withDeleted, { scanAll: true })).records.map(({ Id, IsDeleted }) => ({ Id, IsDeleted })),
  },
  refused: {
    malformed: await outcome(connection.query("SELECT Id Name FROM FROM Account")),
    field: await outcome(connection.query("SELECT Nam FROM Account")),
    object: await outcome(connection.query("SELECT Id FROM Acount")),
    relationship: await outcome(connection.query("SELECT Id, Boss.Name FROM Account")),
    value: await outcome(connection.query("SELECT Id FROM Account WHERE AnnualRevenue = 'many'")),
    locator: await outcome(connection.queryMore("01gRO0000016PIAYA2-500")),
  },
});
