// One record at a time: create, read, update, upsert, delete, and what jsforce makes of each refusal.
import { connect, outcome, report } from "./support.mjs";

const connection = connect();
const account = connection.sobject("Account");
const fields = ["Id", "Name", "Industry", "AnnualRevenue", "BillingCity", "Description", "OwnerId", "Ext__c"];

const created = await account.create({
  Name: "Zürich & Söhne “GmbH”",
  Industry: "Energy",
  AnnualRevenue: 1250000,
  BillingCity: "Zürich",
  Description: "line one\nline two\t🙂",
});
const read = await account.retrieve(created.id, { fields });
const whole = await account.retrieve(created.id);
const updated = await account.update({ Id: created.id, Industry: null, AnnualRevenue: 0, Description: "" });
const reread = await account.retrieve(created.id, { fields });

const inserted = await account.upsert({ Ext__c: "A-42 ß", Name: "Upserted" }, "Ext__c");
const merged = await account.upsert({ Ext__c: "A-42 ß", Name: "Upserted again" }, "Ext__c");
const old = connect({ version: "45.0" });
const mergedLongAgo = await old.sobject("Account").upsert({ Ext__c: "A-42 ß", Name: "Upserted thrice" }, "Ext__c");
const byExternalId = await connection.request(
  `/services/data/v68.0/sobjects/Account/Ext__c/${encodeURIComponent("A-42 ß")}`,
);

await connection.create("Account", [{ Name: "Twin", Batch__c: "B1" }, { Name: "Twin", Batch__c: "B1" }]);
const several = await outcome(account.upsert({ Batch__c: "B1", Name: "Which?" }, "Batch__c"));

const contact = await connection.create("Contact", { LastName: "Noether", AccountId: created.id });
const removed = await account.destroy(inserted.id);
const hour = 3_600_000;
const [start, end] = [new Date(Date.now() - hour), new Date(Date.now() + hour)];

report({
  created,
  read,
  whole,
  updated,
  reread,
  inserted,
  merged,
  mergedLongAgo,
  byExternalId,
  several,
  removed,
  gone: (await account.deleted(start, end)).deletedRecords.map(({ id }) => id),
  changed: (await account.updated(start, end)).ids,
  short: (await connection.sobject("Account").retrieve(created.id.slice(0, 15))).Id,
  refused: {
    required: await outcome(connection.create("Contact", { FirstName: "Emmy" })),
    unknown_field: await outcome(account.create({ Name: "x", Nmae: "y" })),
    unknown_object: await outcome(connection.create("Acount", { Name: "x" })),
    too_long: await outcome(account.create({ Name: "x".repeat(256) })),
    wrong_type: await outcome(account.create({ Name: "x", AnnualRevenue: "many" })),
    wrong_boolean: await outcome(connection.create("Task", { Subject: "x", IsReminderSet: "perhaps" })),
    wrong_date: await outcome(connection.create("Contact", { LastName: "x", Birthdate: "7 November" })),
    email: await outcome(connection.create("Contact", { LastName: "x", Email: "not an address" })),
    picklist: await outcome(account.create({ Name: "x", CleanStatus: "Spotless" })),
    malformed_id: await outcome(connection.create("Contact", { LastName: "x", AccountId: "nonsense" })),
    id_of_another_type: await outcome(connection.create("Contact", { LastName: "x", AccountId: contact.id })),
    no_such_parent: await outcome(connection.create("Contact", { LastName: "x", AccountId: "001000000000000AAA" })),
    read_only: await outcome(account.create({ Name: "x", CreatedDate: "2020-01-01T00:00:00.000Z" })),
    duplicate: await outcome(
      (async () => {
        await account.create({ Name: "x", Unique__c: "U1" });
        return account.create({ Name: "y", Unique__c: "u1" });
      })(),
    ),
    update_unknown_id: await outcome(account.update({ Id: "001000000000000AAA", Name: "x" })),
    update_deleted: await outcome(account.update({ Id: inserted.id, Name: "x" })),
    read_deleted: await outcome(account.retrieve(inserted.id)),
    delete_deleted: await outcome(account.destroy(inserted.id)),
    read_malformed_id: await outcome(account.retrieve("nonsense")),
    no_external_id: await outcome(connection.request("/services/data/v68.0/sobjects/Account/Ext__c/none")),
    not_an_external_id: await outcome(account.upsert({ Name: "x", Site: "y" }, "Site")),
    not_json: await outcome(
      connection.request({
        method: "POST",
        url: "/services/data/v68.0/sobjects/Account",
        body: '{"Name": ',
        headers: { "content-type": "application/json" },
      }),
    ),
    no_such_resource: await outcome(connection.request("/services/data/v68.0/nonsense")),
    wrong_method: await outcome(connection.requestPut("/services/data/v68.0/sobjects/Account", { Name: "x" })),
  },
});
