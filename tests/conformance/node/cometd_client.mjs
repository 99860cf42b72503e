// The official CometD client with Salesforce's replay extension, as the Streaming API Developer Guide describes it:
// {url, authorization, channels: {channel: where to begin}}.
import { CometD } from "cometd";
import { adapt } from "cometd-nodejs-client";
import { obey, settings, tell } from "./streaming.mjs";

adapt();
// What the library logs must not mix with the answers.
window.console = { ...console, info: () => {}, debug: () => {}, warn: () => {}, log: () => {} };

const positions = { ...settings.channels };
let replays = false;

const client = new CometD();
client.unregisterTransport("websocket");
client.configure({
  url: settings.url,
  requestHeaders: { Authorization: settings.authorization },
  backoffIncrement: 50,
  maxBackoff: 500,
  logLevel: "error",
});
client.registerExtension("replay", {
  incoming: (message) => {
    if (message.channel === "/meta/handshake") replays = message.ext?.replay === true;
    const id = message.data?.event?.replayId;
    if (id && message.channel in positions) positions[message.channel] = id;
    return message;
  },
  outgoing: (message) => {
    if (message.channel === "/meta/handshake") message.ext = { ...message.ext, replay: true };
    if (message.channel === "/meta/subscribe" && replays) {
      message.ext = { ...message.ext, replay: { [message.subscription]: positions[message.subscription] } };
    }
    return message;
  },
});

const reply = ({ channel, successful, error, advice, ext, clientId, subscription }) => ({
  channel,
  successful,
  error,
  advice,
  ext,
  clientId,
  subscription,
});

client.addListener("/meta/handshake", (message) => {
  tell("handshake", { reply: reply(message) });
  if (!message.successful) return;
  // A new session has no subscriptions.
  client.batch(() => Object.keys(settings.channels).forEach(subscribe));
});
client.addListener("/meta/connect", (message) => message.successful || tell("unconnected", { reply: reply(message) }));
client.addListener("/meta/unsuccessful", (message) => tell("failure", { reply: reply(message) }));
client.addListener("/meta/disconnect", (message) => tell("disconnected", { reply: reply(message) }));

const subscriptions = {};
const subscribe = (channel) => {
  subscriptions[channel] = client.subscribe(
    channel,
    ({ channel, data }) => tell("event", { channel, data }),
    (message) => tell("subscribed", { reply: reply(message) }),
  );
};

obey({
  subscribe: ({ channel, from }) => ((settings.channels[channel] = positions[channel] = from), subscribe(channel)),
  unsubscribe: ({ channel }) => {
    delete settings.channels[channel];
    client.unsubscribe(subscriptions[channel], (message) => tell("unsubscribed", { reply: reply(message) }));
  },
  disconnect: () => client.disconnect((message) => tell("disconnected", { reply: reply(message) })),
});
client.handshake();
