// SOSL, plain texts, suggestions, and what was used recently.
import { connect, outcome, report } from "./support.mjs";

const connection = connect();
const [acme] = await connection.sobject("Account").create([{ Name: "Acme & Söhne", Phone: "(415) 901-7000" }]);
await connection.sobject("Contact").create([
  { LastName: "O'Neil", Email: "o.neil@acme.example", AccountId: acme.id },
  { LastName: "Oneida" },
]);

report({
  acme: acme.id,
  plain: await connection.search("FIND {acme}"),
  fields: await connection.search(
    "FIND {O\\'Neil OR oneida} IN NAME FIELDS RETURNING Contact(LastName, Account.Name ORDER BY LastName DESC), Lead",
  ),
  phrase: await connection.search('FIND {"Acme \\& Söhne"} RETURNING Account(Id, Name WHERE Phone != null LIMIT 1)'),
  phone: await connection.search("FIND {4159017000} IN PHONE FIELDS RETURNING Account(Name)"),
  email: await connection.search("FIND {o.neil@acme.example} IN EMAIL FIELDS RETURNING Contact(Email)"),
  wildcard: await connection.search("FIND {one*} RETURNING Contact(LastName)"),
  nothing: await connection.search("FIND {nowhere}"),
  old: await connect({ version: "36.0" }).search("FIND {acme} RETURNING Account(Name)"),
  parameters: await connection.request("/parameterizedSearch?q=acme&sobject=Account&Account.fields=Name"),
  body: await connection.requestPost("/parameterizedSearch", {
    q: "one*",
    in: "NAME",
    fields: ["Id"],
    sobjects: [{ name: "Contact", fields: ["LastName"], orderBy: "LastName ASC", limit: 1 }],
  }),
  suggestions: await connection.request("/search/suggestions?q=Acm&sobject=Account"),
  scope: (await connection.request("/search/scopeOrder")).map((entry) => entry.type),
  layout: await connection.request("/search/layout?q=Account"),
  refused: {
    unescaped: await outcome(connection.search("FIND {John|Smith}")),
    unclosed: await outcome(connection.search("FIND {acme")),
    short: await outcome(connection.search("FIND {a}")),
    object: await outcome(connection.search("FIND {acme} RETURNING Acount")),
    field: await outcome(connection.search("FIND {acme} RETURNING Account(Nam)")),
    empty: await outcome(connection.search("")),
  },
});
