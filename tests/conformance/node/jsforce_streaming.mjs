// jsforce's streaming with its replay and authentication failure extensions:
// {url, access_token, channel, from} and, without `from`, the client that conn.streaming keeps itself.
import { createRequire } from "node:module";
import { obey, settings, tell } from "./streaming.mjs";

const jsforce = createRequire(import.meta.url)("jsforce");
const { StreamingExtension } = createRequire(import.meta.url)("jsforce/api/streaming");

const { url, access_token, channel, from } = settings;
const connection = new jsforce.Connection({ instanceUrl: url, accessToken: access_token, version: "68.0" });
const authFailure = new StreamingExtension.AuthFailure((reply) => tell("refused", { reply }));

const listen = (data) => tell("event", { channel, data });
let client, subscription;
if (from === undefined) {
  subscription = connection.streaming.subscribe(channel, listen);
} else {
  client = connection.streaming.createClient([authFailure, new StreamingExtension.Replay(channel, from)]);
  client.on("transport:down", () => tell("down"));
  client.on("transport:up", () => tell("up"));
  subscription = client.subscribe(channel, listen);
}
subscription.then(
  () => tell("subscribed"),
  (error) => tell("subscribed", { reply: { error: `${error.code}::${error.message}` } }),
);

obey({
  // Writes a record, or publishes an event, over the same connection.
  create: async ({ sobject, record }) => tell("created", { result: await connection.sobject(sobject).create(record) }),
  update: async ({ sobject, record }) => tell("updated", { result: await connection.sobject(sobject).update(record) }),
  destroy: async ({ sobject, id }) => tell("destroyed", { result: await connection.sobject(sobject).destroy(id) }),
  disconnect: () => client.disconnect(),
});
