// urql: as it comes, and by POST alone.
import { Client, cacheExchange, fetchExchange } from "@urql/core";

import { asked, bearer, url } from "./asked.mjs";

for (const settings of [{}, { preferGetMethod: false }, { preferGetMethod: "force" }]) {
  for (const { caller, document, variables, holds } of asked) {
    const client = new Client({
      url,
      exchanges: [cacheExchange, fetchExchange],
      fetchOptions: { headers: bearer(caller) },
      ...settings,
    });
    const { data, error } = await client.query(document, variables).toPromise();
    if (error) throw error;
    holds(data);
  }
}
