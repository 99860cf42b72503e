// Many records in one call, with and without all-or-none.
import { connect, outcome, report } from "./support.mjs";

const connection = connect();
const ids = (saved) => saved.filter(({ success }) => success).map(({ id }) => id);

const created = await connection.create("Contact", [{ LastName: "One" }, { FirstName: "Two" }, { LastName: "Three", Email: "?" }]);
const rolledBack = await connection.create("Contact", [{ LastName: "Four" }, { FirstName: "Five" }], { allOrNone: true });
const mixed = await connection.create(undefined, [
  { attributes: { type: "Account" }, Name: "Six" },
  { attributes: { type: "Contact" }, LastName: "Seven" },
]);

const more = ids(await connection.create("Account", [{ Name: "A" }, { Name: "B" }, { Name: "C" }]));
const updated = await connection.update("Account", [
  { Id: more[0], Name: "A2" },
  { Id: "001000000000000AAA", Name: "nobody" },
  { Id: more[1], Name: "" },
]);
const retrieved = await connection.retrieve("Account", [more[1], "001000000000000AAA", more[0]], { fields: ["Id", "Name"] });
const wholly = await connection.retrieve("Account", [more[2]]);

const upserted = await connection.upsert(
  "Account",
  [{ Ext__c: "E1", Name: "first" }, { Ext__c: "E2", Name: "second" }, { Ext__c: "E3", Industry: "Energy" }],
  "Ext__c",
);
const upsertedAgain = await connection.upsert(
  "Account",
  [{ Ext__c: "E1", Name: "first again" }, { Ext__c: "E4", Name: "fourth" }],
  "Ext__c",
);

const destroyed = await connection.destroy("Account", [more[0], "001000000000000AAA"]);
const destroyedTwice = await connection.destroy("Account", [more[0]]);
const kept = await connection.destroy("Account", [more[1], more[0]], { allOrNone: true });

report({
  created,
  rolledBack,
  mixed,
  more,
  updated,
  retrieved,
  wholly,
  upserted,
  upsertedAgain,
  destroyed,
  destroyedTwice,
  kept,
  contacts: (await connection.query("SELECT LastName FROM Contact ORDER BY LastName")).records.map(({ LastName }) => LastName),
  accounts: (await connection.query("SELECT Name FROM Account ORDER BY Name")).records.map(({ Name }) => Name),
  refused: {
    too_many: await outcome(connection.create("Account", Array.from({ length: 201 }, (_, n) => ({ Name: `n${n}` })))),
    unknown_field: await outcome(connection.create("Account", [{ Name: "x", Nmae: "y" }])),
    unknown_object: await outcome(connection.create("Acount", [{ Name: "x" }])),
  },
});
