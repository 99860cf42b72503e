// jsforce's SOAP: login, conversion of leads, merging, the recycle bin, users and passwords.
import { connect, jsforce, outcome, report, settings } from "./support.mjs";

const secret = settings.password + settings.security_token;
// Warns of the login's retirement on standard output else.
const loggedOut = (version) => new jsforce.Connection({ loginUrl: settings.url, version, logLevel: "FATAL" });
const login = async (version, password = secret) => {
  const connection = loggedOut(version);
  const userInfo = await connection.login(settings.username, password);
  const { records } = await connection.query("SELECT Username FROM User WHERE Id = '" + userInfo.id + "'");
  return { userInfo, instanceUrl: connection.instanceUrl, username: records[0].Username };
};

const conn = connect();
const status = "Closed - Converted";
const made = await conn.sobject("Lead").create(
  Array.from({ length: 6 }, (_, n) => ({ LastName: `Lead ${n}`, Company: `Söhne <${n}> & "Co"`, Email: `l${n}@example.com` })),
);
const leads = made.map(({ id }) => id);
const account = await conn.sobject("Account").create({ Name: "There" });
const contact = await conn.sobject("Contact").create({ LastName: "There", AccountId: account.id });

const single = await conn.soap.convertLead({ leadId: leads[0], convertedStatus: status });
const several = await conn.soap.convertLead([
  { leadId: leads[1], accountId: account.id, contactId: contact.id, convertedStatus: status, doNotCreateOpportunity: true },
  { leadId: leads[2], convertedStatus: "Nonsense" },
  { leadId: leads[0], convertedStatus: status },
]);
const kept = await conn.sobject("Account").retrieve(single.accountId);

const merged = await conn.soap.merge({
  masterRecord: { type: "Lead", Id: leads[3], Title: "Dr. & Co", Email: null },
  recordToMergeIds: [leads[4], leads[5]],
});
const master = await conn.sobject("Lead").retrieve(leads[3]);
const refusedMerge = await conn.soap.merge([
  { masterRecord: { type: "Lead", Id: leads[3] }, recordToMergeIds: [leads[4]] },
]);
const undeleted = await conn.soap.undelete([leads[4], leads[3]]);
const emptied = await conn.soap.emptyRecycleBin([leads[5]]);

const [created, refusedCreation] = await conn.soap.create([
  { type: "Account", Name: "By SOAP <&>", Phone: "1" },
  { type: "Account" },
]);
const updated = await conn.soap.update({ type: "Account", Id: created.id, Phone: null });
const upserted = await conn.soap.upsert("Ext__c", [{ type: "Account", Ext__c: "S-1", Name: "Upserted" }]);
const written = await conn.sobject("Account").retrieve(created.id);
const removed = await conn.soap.delete([created.id]);

const expiring = connect({
  accessToken: "00D000000000000!stale",
  refreshFn: (_connection, callback) => callback(null, settings.access_token),
});
const refreshed = await expiring.soap.getUserInfo();

report({
  login: await login("64.0"),
  leads,
  account: account.id,
  contact: contact.id,
  single,
  several,
  kept: kept.Name,
  merged,
  master: { Title: master.Title, Email: master.Email },
  refusedMerge,
  undeleted,
  emptied,
  written: { Name: written.Name, Phone: written.Phone },
  saved: [created, refusedCreation, updated, ...upserted, ...removed],
  refreshed,
  timestamp: await conn.soap.getServerTimestamp(),
  reset: await conn.soap.resetPassword(settings.user_id),
  refused: {
    retired_login: await outcome(login("65.0")),
    wrong_password: await outcome(login("64.0", "wrong")),
    expired: await outcome(connect({ accessToken: "00D000000000000!stale" }).soap.getUserInfo()),
    malformed_id: await outcome(conn.soap.convertLead({ leadId: "undefined", convertedStatus: status })),
    unmergeable: await outcome(conn.soap.merge({ masterRecord: { type: "Opportunity" }, recordToMergeIds: [] })),
    unknown_call: await outcome(conn.soap.describeTabs()),
    weak_password: await outcome(conn.soap.setPassword(settings.user_id, "weak")),
  },
});
