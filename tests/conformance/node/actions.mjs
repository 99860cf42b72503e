// Apex REST, invocable actions, quick actions, layouts and who is logged in.
import { connect, outcome, report } from "./support.mjs";

const connection = connect();
const { apex } = connection;
const account = await connection.sobject("Account").create({ Name: "Acme" });
const own = connection.sobject("Account").quickAction("CreateContact");
const created = await own.execute(account.id, { LastName: "Smith" });
const call = await connection.quickAction("LogACall").execute(null, { Description: "Agreed." });

report({
  account: account.id,
  identity: await connection.identity(),
  userInfo: connection.userInfo,
  apex: {
    get: await apex.get("/orders/v1/A-1?full=true"),
    post: await apex.post("/orders/v1/A-1", { quantity: 2 }),
    put: await apex.put("/orders/v1/A-1", { quantity: 3 }),
    patch: await apex.patch("/orders/v1/A-1", { quantity: 4 }),
    delete: await apex.delete("/orders/v1/A-1"),
  },
  usage: connection.limitInfo.apiUsage,
  actions: {
    custom: await connection.request("/actions/custom"),
    flow: await connection.request("/actions/custom/flow/Ship_Order"),
    run: await connection.requestPost("/actions/custom/flow/Ship_Order", { inputs: [{ orderId: "A-1" }] }),
  },
  quick: {
    global: (await connection.quickActions()).map((action) => action.name),
    own: (await connection.sobject("Account").quickActions()).map((action) => action.name),
    described: await own.describe(),
    defaults: await own.defaultValues(),
    defaultsOnRecord: await own.defaultValues(account.id),
    created,
    contact: await connection.sobject("Contact").retrieve(created.id),
    call: await connection.sobject("Task").retrieve(call.id),
  },
  layouts: {
    page: await connection.sobject("Contact").layouts(),
    several: await connection.sobject("Account").layouts(),
    named: await connection.sobject("User").layouts("UserAlt"),
    compact: await connection.sobject("Account").compactLayouts(),
    approval: await connection.sobject("Account").approvalLayouts(),
    cached: (await connection.sobject("Contact").layouts$()).layouts[0].id,
  },
  refused: {
    path: await outcome(apex.get("/nowhere")),
    verb: await outcome(apex.delete("/hello")),
    exception: await outcome(apex.get("/hello")),
    input: await outcome(connection.requestPost("/actions/custom/flow/Ship_Order", { inputs: [{}] })),
    record: await outcome(own.execute(account.id, {})),
    action: await outcome(connection.quickAction("Nothing").describe()),
    layout: await outcome(connection.sobject("Attachment").layouts()),
  },
});
