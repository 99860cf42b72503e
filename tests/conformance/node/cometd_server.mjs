// The official CometD server, made to speak as Salesforce documents: replay, durable events, logins, error texts.
// Started with one JSON argument {log, port?, timeout?, maxInterval?, interval?}; prints {"port": …} when it listens.
// POST /control takes {"do": …, …}: see `controls`. Facts from the Streaming API Developer Guide ("Message
// Durability", "Handling Streaming API Errors", "Streaming API Error Codes", "Clients and Timeouts").
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const options = { port: 0, timeout: 2000, maxInterval: 40_000, interval: 0, ...JSON.parse(process.argv[2]) };
const { log, port } = options;
const cometd = createRequire(import.meta.url)("cometd-nodejs-server").createCometDServer(options);

// --- what survives a restart: JSON lines, each synced before anyone is told ---

const ring = new Map();
const tokens = new Set();
// Ids are beyond 32 bits and leave gaps.
let newest = 5_000_000_000;

const apply = ({ id, channel, data, token, revoked, trimmed }) => {
  if (id) ring.set((newest = id), { channel, data });
  if (token) tokens.add(token);
  if (revoked) tokens.clear();
  if (trimmed) for (const old of [...ring.keys()].slice(0, trimmed)) ring.delete(old);
};
const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean) : [];
lines.map((line) => JSON.parse(line)).forEach(apply);
const record = (entry) => {
  const file = openSync(log, "a");
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
  fsyncSync(file);
  closeSync(file);
  apply(entry);
};

// --- sessions, subscriptions, replay ---

const sessions = new Map(); // clientId → {session, token, held}
const counts = { handshakes: 0, subscribes: 0, logins: 0 };
const asked = []; // the replay entry of each subscribe, as it came
const texts = { unknownAdvice: "handshake", busy: 0, limited: 0 };
let arrival = () => {}; // called when anything of this has changed

cometd.addListener("sessionAdded", (session) => {
  const entry = { session, token: bearer(cometd.context.request), held: false };
  sessions.set(session.id, entry);
  session.addListener("suspended", () => ((entry.held = true), arrival()));
  session.addListener("resumed", () => (entry.held = false));
  session.addListener("removed", () => (sessions.delete(session.id), arrival()));
});

const bearer = (request) => request.headers.authorization?.match(/^Bearer (.+)$/)?.[1];
const bare = (channel) => channel.split("?")[0];

// What is wrong with a replay entry; "" if nothing is.
const wrong = (subscription, replay) => {
  if (replay === undefined) return "";
  const from = replay[bare(subscription)];
  if (Object.keys(replay).length !== 1 || from === undefined) {
    const map = Object.entries(replay).map((pair) => pair.join("="));
    return `400::The replayId for channel {${subscription}} wasn't found using the provided replay ID map {{${map}}}`;
  }
  if (from === -1 || from === -2 || ring.has(from)) return "";
  return (
    `400::The replayId {${from}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, ` +
    "or -1 to replay only new events."
  );
};

cometd.policy = {
  canHandshake: (session, message, decide) => {
    counts.handshakes += 1;
    const token = bearer(cometd.context.request);
    const reason =
      texts.busy-- > 0
        ? "503::Server is too busy. Please try your request again later."
        : !token
          ? "401::Request requires authentication"
          : tokens.has(token)
            ? ""
            : "401::Authentication invalid";
    if (reason) refuse(message, "403::Handshake denied", { ext: { sfdc: { failureReason: reason } } });
    decide(undefined, !reason);
  },
  canSubscribe: (session, message, channel, decide) => {
    counts.subscribes += 1;
    asked.push(message.ext?.replay ?? null);
    const error =
      texts.limited-- > 0
        ? "403::Organization total events daily limit exceeded"
        : /^\/(data|event|topic|u)\//.test(channel.name)
          ? wrong(message.subscription, message.ext?.replay)
          : `400::The channel you requested to subscribe to does not exist {${channel.name}}`;
    if (error) refuse(message, error);
    decide(undefined, !error);
  },
  canPublish: (session, message, channel, decide) => decide(undefined, false),
};

cometd.addListener("subscribed", (channel, session, message) => {
  const from = message.ext?.replay?.[bare(channel.name)] ?? -1;
  for (const [id, event] of from === -1 ? [] : ring) {
    if (id > from && event.channel === bare(channel.name)) session.deliver(null, channel.name, event.data);
  }
  arrival();
});

// --- Salesforce's words in place of the server's own ---

const quotes = []; // {channel, reply}: the next message to the channel is refused with exactly this
const refusals = new WeakMap(); // reply → what it says instead
const refuse = (message, error, more = {}) => refusals.set(message.reply, { error, ...more });

cometd.addExtension({
  incoming: (_, session, message, next) => {
    const revoked = message.channel === "/meta/connect" && !tokens.has(sessions.get(session.id)?.token);
    if (revoked) refuse(message, "401::Authentication invalid", { advice: { reconnect: "none", interval: 0 } });
    const quoted = quotes.findIndex(({ channel }) => channel === message.channel);
    if (quoted >= 0) {
      const [{ reply }] = quotes.splice(quoted, 1);
      refuse(message, reply.error, { ...reply, id: message.id });
      if (message.channel === "/meta/connect") cometd._removeServerSession(session, false);
    }
    next(undefined, !revoked && quoted < 0);
  },
  outgoing: (_, sender, session, reply, next) => {
    if (reply.channel === "/meta/handshake" && reply.successful) reply.ext = { replay: true, "payload.format": true };
    Object.assign(reply, refusals.get(reply));
    if (reply.error === "402::session_unknown") {
      reply.error = "403::Unknown client";
      if (reply.advice) reply.advice.reconnect = texts.unknownAdvice;
    }
    next(undefined, true);
  },
});

// --- faults: each spoils answers to /meta/connect ---

const faults = []; // names; the first one strikes next

// Spoils an answer that the server made and believes to be sent.
const spoilers = {
  lose: (socket) => socket.destroy(),
  half: (socket, body) => {
    const head = ["HTTP/1.1 200 OK", "Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`];
    socket.end(`${head.join("\r\n")}\r\n\r\n${body.slice(0, body.length / 2)}`);
  },
};
// Answers in place of the server.
const substitutes = {
  http503: (response) => response.writeHead(503, { "Retry-After": "0" }).end("Service Unavailable"),
  html: (response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<html>Maintenance</html>"),
  reset: (response) => response.socket.resetAndDestroy(),
  hang: () => {},
};

const polls = (request, response) => {
  const end = response.end.bind(response);
  response.end = (body, encoding) => {
    const spoil = response.statusCode === 200 && spoilers[faults[0]];
    if (!spoil) return end(body, encoding);
    faults.shift();
    spoil(response.socket, body);
    response.emit("finish");
    arrival();
  };
  if (!substitutes[faults[0]]) return cometd.handle(request, response);
  substitutes[faults.shift()](response);
  arrival();
};

// --- the control plane ---

const until = (condition) =>
  new Promise((resolve) => {
    arrival = () => condition() && resolve({});
    arrival();
  });

const wake = () => [...sessions.values()].forEach(({ session }) => session._flush());

const controls = {
  append: ({ channel, data }) => {
    const id = newest + 1 + (newest % 5);
    record({ id, channel, data: { ...data, event: { ...data.event, replayId: id } } });
    return { id };
  },
  publish: (event) => {
    const { id } = controls.append(event);
    cometd.createServerChannel(event.channel).publish(null, ring.get(id).data);
    return { id };
  },
  revoke: () => (record({ revoked: true }), wake()),
  // The clientIds are forgotten; nobody is told.
  kill: ({ advice = "handshake" }) => {
    texts.unknownAdvice = advice;
    for (const { session } of [...sessions.values()]) (cometd._removeServerSession(session, false), session._flush());
  },
  // The server says goodbye.
  kick: ({ advice = "handshake" }) => {
    texts.unknownAdvice = advice;
    [...sessions.values()].forEach(({ session }) => session.disconnect());
  },
  trim: ({ events }) => record({ trimmed: events }),
  wake,
  fault: ({ kind, times = 1 }) => void faults.push(...Array(times).fill(kind)),
  quote: ({ channel, reply }) => void quotes.push({ channel, reply }),
  busy: ({ times }) => void (texts.busy = times),
  limited: ({ times }) => void (texts.limited = times),
  // Answers when a session subscribed to the channel has its poll held and no fault is due.
  settled: ({ channel }) => {
    const hears = ({ session, held }) => held && session.subscriptions.some(({ name }) => name === channel);
    return until(() => faults.length === 0 && [...sessions.values()].some(hears));
  },
  // Answers when so many subscribes have come.
  subscribed: ({ times }) => until(() => counts.subscribes >= times),
  // Answers when no session is left.
  deserted: () => until(() => sessions.size === 0),
  state: () => ({ ...counts, asked, sessions: sessions.size, faults: faults.length, events: [...ring.keys()] }),
};

const answer = (response, status, body) =>
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));

const who = { organization_id: "00D000000000062EAA", user_id: "005000000000001AAA" };
const format = "URI format: '/cometd/68.0'";

const login = (request, response) => {
  const url = `http://${request.headers.host}`;
  const token = `token-${(counts.logins += 1)}-${process.pid}`;
  record({ token });
  const id = `${url}/id/${who.organization_id}/${who.user_id}`;
  answer(response, 200, { access_token: token, instance_url: url, token_type: "Bearer", id });
};

const server = createServer((request, response) => {
  let text = "";
  request.on("data", (chunk) => (text += chunk));
  request.on("end", async () => {
    if (request.url === "/control") {
      const { do: name, ...given } = JSON.parse(text);
      return answer(response, 200, (await controls[name](given)) ?? {});
    }
    if (request.url === "/services/oauth2/token") return login(request, response);
    if (request.url === "/services/oauth2/userinfo") return answer(response, 200, who);
    const version = request.url.match(/^\/cometd\/(\d+\.\d)\/?(handshake|connect|disconnect)?$/)?.[1];
    if (!version) return answer(response, 400, `API version in the URI is mandatory. ${format}`);
    if (Number(version) < 37) {
      const error = `Unsupported API version. Only API versions '37.0' and later are supported. ${format}`;
      return answer(response, 400, error);
    }
    request.body = [JSON.parse(text)].flat();
    const isPoll = request.body.some(({ channel }) => channel === "/meta/connect");
    (isPoll ? polls : cometd.handle)(request, response);
  });
});
server.listen(port, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
