// graphql-js, the reference: the schema by introspection, with all that may be asked of it, is the one of schema.graphql;
// and the callers' documents are valid by it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  isInputObjectType,
  lexicographicSortSchema,
  parse,
  printSchema,
  validate,
} from "graphql";

import { asked, bearer, root, url } from "./asked.mjs";

const query = getIntrospectionQuery({
  directiveIsRepeatable: true,
  inputValueDeprecation: true,
  oneOf: true,
  schemaDescription: true,
  specifiedByUrl: true,
});
const answer = await fetch(url, {
  method: "POST",
  headers: { ...bearer("agent"), "content-type": "application/json" },
  body: JSON.stringify({ query }),
});
const { data, errors } = await answer.json();
assert.equal(errors, undefined);

const written = buildSchema(readFileSync(join(root, "schema.graphql"), "utf8"));
// The description of the schema itself is the library's, and not written.
const told = buildClientSchema({ __schema: { ...data.__schema, description: null } });
const print = (schema) => printSchema(lexicographicSortSchema(schema));
assert.equal(print(told), print(written));
const one = (schema) =>
  Object.values(schema.getTypeMap())
    .filter((type) => isInputObjectType(type) && type.isOneOf)
    .map((type) => type.name)
    .sort();
assert.ok(one(written).includes("CustomerIdentifier"));
assert.deepEqual(one(told), one(written));
for (const { name, document } of asked) assert.deepEqual(validate(told, parse(document)), [], name);
