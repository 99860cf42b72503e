// What soql-parser-js makes of many queries: each as parsed, or the reason why it is not.
import { parseQuery } from "@jetstreamapp/soql-parser-js";

import { report, settings } from "./support.mjs";

const verdict = (query) => {
  try {
    return { parsed: parseQuery(query) };
  } catch (error) {
    return { refused: error.message };
  }
};

report(settings.queries.map(verdict));
