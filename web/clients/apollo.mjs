// Apollo Client: by POST, by GET, and by persisted queries whose hash goes by GET.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";

import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";

import { asked, bearer, url } from "./asked.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** Asks everything with clients of its own, and tells what went over the wire: one list per document. */
async function all(settings, persisted) {
  const sent = [];
  for (const { caller, document, variables, holds } of asked) {
    const wire = [];
    const fetch = (address, init) => {
      const { searchParams } = new URL(address);
      const body = init.body ? JSON.parse(init.body) : Object.fromEntries(searchParams);
      wire.push(`${init.method} ${body.query ? "document" : "hash"}`);
      return globalThis.fetch(address, init);
    };
    const http = new HttpLink({ uri: url, headers: bearer(caller), fetch, ...settings });
    const link = persisted ? ApolloLink.from([new PersistedQueryLink({ sha256, ...persisted }), http]) : http;
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    const { data } = await client.query({ query: gql(document), variables });
    holds(data);
    client.stop();
    sent.push(wire);
  }
  return sent;
}

const each = (wire) => asked.map(() => wire);

assert.deepEqual(await all({}), each(["POST document"]));
assert.deepEqual(await all({ useGETForQueries: true }), each(["GET document"]));
const persisted = { useGETForHashedQueries: true };
await all({}, persisted);
assert.deepEqual(await all({}, persisted), each(["GET hash"]), "the second time, the hash is enough");
