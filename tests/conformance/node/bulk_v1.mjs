// jsforce over Bulk API 1.0, which it speaks in CSV and XML.
import { connect, outcome, report, settings } from "./support.mjs";

const connection = connect();
const bulk = connection.bulk;
bulk.pollInterval = 20;
bulk.pollTimeout = 30000;

const load = async (type, operation, options, rows) => await bulk.load(type, operation, options, rows);

const inserted = await load("Account", "insert", {}, [
  { Name: 'A, "quoted"', Ext__c: "1", NumberOfEmployees: 7 },
  { Ext__c: "2" },
  { Name: "Zoë\nB", Ext__c: "3", Description: null },
]);
const upserted = await load("Account", "upsert", { extIdField: "Ext__c", concurrencyMode: "Serial" }, [
  { Ext__c: "1", Name: "A" },
  { Ext__c: "4", Name: "D" },
]);
const updated = await load("Account", "update", {}, [{ Id: inserted[2].id, Name: "B2", NumberOfEmployees: null }]);
const csv = await bulk.load("Account", "insert", "Name,Ext__c\nFrom text,5\n");

const soql = "SELECT Id, Name, NumberOfEmployees, CreatedDate, Owner.Name FROM Account ORDER BY Name";
const found = await (await bulk.query(soql)).toArray();
const nothing = await (await bulk.query("SELECT Id FROM Account WHERE Name = 'nobody'")).toArray();

const deleted = await load("Account", "delete", {}, [{ Id: inserted[2].id }]);
const hardDeleted = await load("Account", "hardDelete", {}, [{ Id: upserted[1].id }]);
const left = await (await bulk.query("SELECT Name FROM Account ORDER BY Name")).toArray();

// Job by job, batch by batch.
const job = bulk.createJob("Account", "insert");
const opened = await job.open();
const none = await outcome(job.list());
const batch = job.createBatch();
const queued = new Promise((resolve) => batch.on("queue", resolve));
batch.execute([{ Name: "Batch" }]);
const batchInfo = await queued;
const finished = new Promise((resolve, reject) => {
  batch.on("response", resolve);
  batch.on("error", reject);
});
batch.poll(20, 30000);
const responses = await finished;
const checked = await batch.check();
const listed = await job.list();
const info = await job.check();
const closed = await job.close();

const aborted = await bulk.createJob("Account", "insert").open().then(({ id }) => bulk.job(id).abort());

const unknownField = await outcome(load("Account", "insert", {}, [{ Nmae: "A" }]));
const unknownObject = await outcome(load("Acount", "insert", {}, [{ Name: "A" }]));
const malformed = await outcome(bulk.query("SELECT Nmae FROM Account"));

// An expired session is renewed; Bulk API 1.0 tells of it by a 400.
const renewing = connect({
  accessToken: "expired",
  refreshToken: settings.refresh_token,
  oauth2: { loginUrl: settings.url, clientId: settings.client_id, clientSecret: settings.client_secret },
});
renewing.bulk.pollInterval = 20;
const renewed = await renewing.bulk.load("Account", "insert", [{ Name: "Renewed" }]);

report({
  inserted, upserted, updated, csv, found, nothing, deleted, hardDeleted, left, opened, none, batchInfo, responses,
  checked, listed, info, closed, aborted, unknownField, unknownObject, malformed, renewed,
});
