// Every OAuth flow of jsforce, and who it says is logged in.
import { createSign } from "node:crypto";
import { jsforce, oauth2, outcome, report, settings } from "./support.mjs";

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const unauthorised = (given = {}) =>
  new jsforce.Connection({ loginUrl: settings.url, oauth2: oauth2(given), version: "68.0" });

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

const assertion = (claims = {}, key = settings.private_key) => {
  const payload = {
    iss: settings.client_id,
    sub: settings.username,
    aud: settings.url,
    exp: Math.floor(Date.now() / 1000) + 120,
    ...claims,
  };
  const text = `${encoded({ alg: "RS256" })}.${encoded(payload)}`;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(key, "base64url")}`;
};

// Logs in, then asks the org who that is, and whether the token opens the REST API.
const session = async (connection, login) => {
  const userInfo = await login(connection);
  const identity = await connection.identity();
  const { records } = await connection.query("SELECT Id, Username FROM User WHERE Username = '" + settings.username + "'");
  return {
    userInfo,
    instanceUrl: connection.instanceUrl,
    identity: {
      user_id: identity.user_id,
      organization_id: identity.organization_id,
      username: identity.username,
      active: identity.active,
      id: identity.id,
    },
    user: records[0].Id,
  };
};

const byJwt = (claims, key) => (connection) =>
  connection.authorize({ grant_type: JWT_BEARER, assertion: assertion(claims, key) });
const byPassword = (password) => (connection) => connection.login(settings.username, password);
const secret = settings.password + settings.security_token;

const leaving = unauthorised();
await leaving.login(settings.username, secret);
const userinfo = await leaving.request("/services/oauth2/userinfo");
const left = leaving.accessToken;
await leaving.logout();
const afterLogout = new jsforce.Connection({ instanceUrl: settings.url, accessToken: left, version: "68.0" });

report({
  password: await session(unauthorised(), byPassword(secret)),
  client_credentials: await session(unauthorised(), (connection) =>
    connection.authorize({ grant_type: "client_credentials" }),
  ),
  jwt_bearer: await session(unauthorised(), byJwt()),
  refresh_token: await unauthorised().oauth2.refreshToken(settings.refresh_token),
  userinfo,
  refused: {
    wrong_password: await outcome(byPassword("wrong")(unauthorised())),
    wrong_client: await outcome(byPassword(secret)(unauthorised({ clientId: "nobody" }))),
    wrong_secret: await outcome(byPassword(secret)(unauthorised({ clientSecret: "wrong" }))),
    unknown_refresh_token: await outcome(unauthorised().oauth2.refreshToken("5Aep861unknown")),
    unknown_grant: await outcome(unauthorised().authorize({ grant_type: "telepathy" })),
    foreign_key: await outcome(byJwt({}, settings.foreign_key)(unauthorised())),
    expired_assertion: await outcome(byJwt({ exp: 1 })(unauthorised())),
    unapproved_user: await outcome(byJwt({ sub: "nobody@example.com" })(unauthorised())),
    wrong_audience: await outcome(byJwt({ aud: "https://example.com" })(unauthorised())),
    after_logout: await outcome(afterLogout.query("SELECT Id FROM User")),
    logout_twice: await outcome(leaving.oauth2.revokeToken(left)),
  },
});
