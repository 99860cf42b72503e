// Bulk API 2.0: records up in each operation, what became of each, and queries down.
import { Readable } from "node:stream";
import { connect, outcome, report } from "./support.mjs";

const connection = connect();
const bulk = connection.bulk2;
bulk.pollInterval = 20;

const load = (operation, input, given = {}) => bulk.loadAndWaitForResults({ object: "Account", operation, input, ...given });
const rows = async (soql, options) => (await bulk.query(soql, { pollInterval: 20, pollTimeout: 20000, ...options })).toArray();
const ids = ({ successfulResults }) => successfulResults.map(({ sf__Id }) => sf__Id);

// Records, of which two cannot be saved; a null becomes #N/A.
const inserted = await load("insert", [
  { Name: "Zürich & Söhne, “GmbH”", Ext__c: "E-1", Description: 'line one\nline "two"', NumberOfEmployees: 7 },
  { Name: null, Ext__c: "E-2" },
  { Name: "Third", Ext__c: "E-3", AnnualRevenue: 12.5 },
  { Name: "Fourth", Ext__c: "E-1" },
]);

// A text, with another delimiter and line ending.
const upserted = await load("upsert", "Ext__c;Name;Industry\r\nE-1;First;Energy\r\nE-5;Fifth;\r\n", {
  externalIdFieldName: "Ext__c",
  columnDelimiter: "SEMICOLON",
  lineEnding: "CRLF",
});

// A stream, as of a file.
const [first, third] = ids(inserted);
const updated = await load("update", Readable.from([`Id,Name,Description\n${first},First again,#N/A\n`, "001000000000000AAA,nobody,\n"]));

const all = "SELECT Id, Name, Description, NumberOfEmployees, Industry FROM Account ORDER BY Name";
const read = await rows(all);
const deleted = await load("delete", [{ Id: third, Name: "of no use" }]);
const seen = (await rows("SELECT Name FROM Account ORDER BY Name")).map(({ Name }) => Name);
const scanned = await rows("SELECT Name, IsDeleted FROM Account ORDER BY Name", { scanAll: true });
const erased = await load("hardDelete", [{ Id: first }]);
const left = await rows("SELECT Name FROM Account ORDER BY Name", { scanAll: true });

// Step by step, and from the id alone.
const job = bulk.createJob({ operation: "insert", object: "Account" });
const opened = await job.open();
await job.uploadData("Name\nBy hand\n");
await job.close();
const closed = job.getInfo();
const again = bulk.job("ingest", { id: job.id });
await again.poll(20, 20000);
const done = await again.check();
const raw = {
  successful: await again.getSuccessfulResults(true),
  failed: await again.getFailedResults(true),
  unprocessed: await again.getUnprocessedRecords(true),
};
await again.delete();

const aborted = bulk.createJob({ operation: "insert", object: "Account" });
await aborted.open();
await aborted.abort();
const stopped = await aborted.check();

const query = bulk.job("query", { id: (await connection.request({
  method: "POST",
  url: "/services/data/v68.0/jobs/query",
  body: JSON.stringify({ operation: "query", query: "SELECT Name FROM Account ORDER BY Name" }),
  headers: { "content-type": "application/json" },
})).id });
await query.poll(20, 20000);
const queried = await query.check();
await query.delete();

report({
  inserted,
  upserted,
  updated,
  read,
  deleted,
  seen,
  scanned,
  erased,
  left,
  opened,
  closed,
  done,
  raw,
  stopped,
  queried,
  ids: { first, third },
  refused: {
    unknown_field: await outcome(load("insert", "Name,Nmae\nx,y\n")),
    unknown_object: await outcome(bulk.createJob({ operation: "insert", object: "Acount" }).open()),
    wrong_ending: await outcome(load("insert", "Name\r\nx\r\n")),
    no_external_id: await outcome(bulk.createJob({ operation: "upsert", object: "Account" }).open()),
    deleted_job: await outcome(again.check()),
    deleted_query: await outcome(query.check()),
    upload_to_aborted: await outcome(aborted.uploadData("Name\nx\n")),
    open: await outcome((async () => {
      const early = bulk.createJob({ operation: "insert", object: "Account" });
      await early.open();
      await early.poll(20, 20000);
    })()),
    malformed: await outcome(rows("SELECT FROM Account")),
    aggregate: await outcome(rows("SELECT COUNT(Id) FROM Account")),
  },
});
