// Files: as base64 and in parts, with their documents and links, and their bytes back.
import { createHash } from "node:crypto";

import { connect, outcome, report } from "./support.mjs";

const connection = connect();
const version = connection.sobject("ContentVersion");
const content = Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * 7) % 256));
const md5 = (bytes) => createHash("md5").update(bytes).digest("hex");

const bytesOf = async (sobject, id, field) => {
  const pieces = [];
  for await (const piece of connection.sobject(sobject).record(id).blob(field)) pieces.push(piece);
  return Buffer.concat(pieces);
};

const account = await connection.create("Account", { Name: "Acme" });
const fields = { PathOnClient: "überblick.csv", Title: "Überblick", VersionData: content.toString("base64") };
const inJson = await version.create({ ...fields, FirstPublishLocationId: account.id });
const inParts = await connection.create("ContentVersion", { ...fields }, {
  multipartFileFields: { VersionData: { contentType: "text/csv", filename: "überblick.csv" } },
});
const described = {};
for (const [name, { id }] of Object.entries({ inJson, inParts })) {
  const { Checksum, ContentSize, FileType, Title, VersionNumber, VersionData } = await version.retrieve(id);
  const bytes = await bytesOf("ContentVersion", id, "VersionData");
  described[name] = {
    Checksum, ContentSize, FileType, Title, VersionNumber,
    VersionData: VersionData.replace(id, "{id}"), same: bytes.equals(content),
  };
}

const { ContentDocumentId } = await version.retrieve(inJson.id);
const second = await version.create({ ContentDocumentId, PathOnClient: "b.txt", VersionData: "aGVsbG8=" });
const links = await connection.query(
  `SELECT LinkedEntityId, ShareType FROM ContentDocumentLink WHERE ContentDocumentId = '${ContentDocumentId}'`,
);
const latest = await connection.sobject("ContentDocument").retrieve(ContentDocumentId);

const attachment = await connection.create("Attachment", {
  ParentId: account.id, Name: "a.bin", ContentType: "x/y", Body: content.toString("base64"),
});
await connection.sobject("Attachment").update({ Id: attachment.id, Body: "aGVsbG8=" });

// Several at once: the collections resource, which jsforce reaches by a plain request.
const boundary = "boundary_string";
const record = (number) => ({
  attributes: { type: "Attachment", binaryPartName: `part${number}`, binaryPartNameAlias: "Body" },
  ParentId: account.id,
  Name: `${number}.txt`,
});
const part = (headers, body) => `--${boundary}\r\n${headers.join("\r\n")}\r\n\r\n${body}\r\n`;
const collection = await connection.request({
  method: "POST",
  url: "/composite/sobjects",
  headers: { "content-type": `multipart/form-data; boundary="${boundary}"` },
  body: [
    part(
      ['Content-Disposition: form-data; name="collection"', "Content-Type: application/json"],
      JSON.stringify({ allOrNone: true, records: [record(1), record(2)] }),
    ),
    part(['Content-Disposition: form-data; name="part1"; filename="1.txt"', "Content-Type: text/plain"], "one"),
    part(['Content-Disposition: form-data; name="part2"; filename="2.txt"', "Content-Type: text/plain"], "two"),
    `--${boundary}--`,
  ].join(""),
});

report({
  md5: md5(content),
  described,
  account: account.id,
  latest: { isSecond: latest.LatestPublishedVersionId === second.id, size: latest.ContentSize, title: latest.Title },
  links: links.records.map(({ LinkedEntityId, ShareType }) => [LinkedEntityId, ShareType]),
  attachment: (await bytesOf("Attachment", attachment.id, "Body")).toString(),
  collection: collection.map(({ success }) => success),
  contents: await Promise.all(
    collection.map(async ({ id }) => (await bytesOf("Attachment", id, "Body")).toString()),
  ),
  refused: {
    empty: await outcome(version.create({ PathOnClient: "a.txt" })),
    unfiltered: await outcome(connection.query("SELECT Id FROM ContentDocumentLink")),
    twice: await outcome(
      connection.create("ContentDocumentLink", { ContentDocumentId, LinkedEntityId: account.id, ShareType: "V" }),
    ),
    deletion: await outcome(version.destroy(inJson.id)),
  },
  gone: await connection.sobject("ContentDocument").destroy(ContentDocumentId),
});
