// A session that has run out: jsforce refreshes it, once however many requests wait, and sends them again.
import { connect, oauth2, outcome, report, settings } from "./support.mjs";

const renewable = (given = {}) => {
  const refreshed = [];
  const connection = connect({ oauth2: oauth2(), refreshToken: settings.refresh_token, ...given });
  connection.on("refresh", (token) => refreshed.push(token));
  return { connection, refreshed };
};

const alone = renewable();
const users = await alone.connection.query("SELECT Id FROM User");

const together = renewable();
const answers = await Promise.all(
  Array.from({ length: 5 }, (_, n) => together.connection.create("Account", { Name: `Account ${n}` })),
);

report({
  users: users.totalSize,
  refreshes: alone.refreshed.length,
  changed: alone.refreshed[0] === alone.connection.accessToken && alone.refreshed[0] !== settings.access_token,
  together: together.refreshed.length,
  created: answers.filter(({ success }) => success).length,
  accounts: (await alone.connection.query("SELECT Name FROM Account ORDER BY Name")).records.map(({ Name }) => Name),
  refused: {
    expired: await outcome(connect().query("SELECT Id FROM User")),
    unknown: await outcome(connect({ accessToken: "00D000000000001!nonsense" }).query("SELECT Id FROM User")),
    refresh: await outcome(renewable({ refreshToken: "5Aep861unknown" }).connection.query("SELECT Id FROM User")),
    identity: await outcome(connect({ accessToken: "00D000000000001!nonsense" }).request("/services/oauth2/userinfo")),
  },
});
