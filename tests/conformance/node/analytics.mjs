// Reports: described, run at once and in the background, cloned, deleted.
import { connect, outcome, report } from "./support.mjs";

const connection = connect();
const { analytics } = connection;

const [account] = await connection.create("Account", [{ Name: "Acme" }]);
await connection.create("Opportunity", [
  { Name: "One", StageName: "Prospecting", CloseDate: "2026-01-10", Amount: 100, AccountId: account.id },
  { Name: "Two", StageName: "Closed Won", CloseDate: "2026-02-10", Amount: 250.5, AccountId: account.id },
  { Name: "Three", StageName: "Closed Won", CloseDate: "2026-02-20" },
]);

const { records } = await connection.query("SELECT Id FROM Report ORDER BY Name");
const [matrix, tabular] = records.map(({ Id }) => analytics.report(Id));
const metadata = {
  reportMetadata: {
    reportFilters: [{ column: "AMOUNT", operator: "greaterThan", value: "100" }],
    detailColumns: ["OPPORTUNITY_NAME"],
  },
};

const described = await matrix.describe();
const executed = await matrix.execute();
const detailed = await matrix.run({ details: true });
const filtered = await tabular.exec({ details: true, metadata });
const explained = await tabular.explain();

const started = await matrix.executeAsync({ details: true });
const background = await tabular.executeAsync({ metadata });
const looks = [];
for (let look = 0; look < 3; look += 1) {
  looks.push(await matrix.instance(started.id).retrieve());
}
const instances = await matrix.instances();
const backgroundEnd = await tabular.instances();

const clone = await tabular.clone("Cloned");
const cloned = analytics.report(clone.reportMetadata.id);
const clonedRun = await cloned.execute({ details: true });
const recent = await analytics.reports();
await cloned.destroy();

report({
  account: account.id,
  described,
  executed,
  detailed,
  filtered,
  explained,
  started,
  background,
  backgroundEnd,
  looks,
  instances,
  clone,
  clonedRun,
  recent,
  afterwards: await analytics.reports(),
  refused: {
    gone: await outcome(cloned.describe()),
    cloneOfNothing: await outcome(cloned.clone("again")),
    column: await outcome(
      tabular.execute({ metadata: { reportMetadata: { reportFilters: [{ column: "NO", operator: "equals", value: "" }] } } }),
    ),
    instance: await outcome(tabular.instance(started.id).retrieve()),
  },
});
