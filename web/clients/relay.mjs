// Relay: its compiler takes schema.graphql with the callers' documents and a paginated fragment; what it writes then
// runs in Relay's own runtime, which also reads a second page through `node`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { build } from "esbuild";
import compiler from "relay-compiler";
import runtime from "relay-runtime";

import { asked, bearer, root, url } from "./asked.mjs";

const { Environment, Network, RecordSource, Store, createOperationDescriptor, fetchQuery } = runtime;
const work = join(root, "web/.generated/relay");
rmSync(work, { recursive: true, force: true });
mkdirSync(join(work, "made"), { recursive: true });

/** Relay wants an operation to be named after its module. */
const module = (name) => name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
const source = (name, ...documents) => {
  const tags = documents.map((document) => `graphql\`\n${document}\n\`;\n`);
  writeFileSync(join(work, `${name}.js`), `import { graphql } from "relay-runtime";\n\n${tags.join("\n")}`);
};
for (const { name, document } of asked) {
  const code = document.replaceAll(/^#.*\n/gm, "");
  source(module(name), code.replace(/^query \w+/m, `query ${module(name)}Query`));
}
source(
  "orderList",
  `query orderListQuery($by: CustomerIdentifier!) { customer360(by: $by) { ...orderList_customer } }`,
  `fragment orderList_customer on Customer
  @refetchable(queryName: "orderListPaginationQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }) {
    orders(first: $count, after: $cursor) @connection(key: "orderList_orders") {
      edges { node { id number total { amount currencyCode } } }
    }
  }`,
);
const settings = {
  src: work,
  schema: join(root, "schema.graphql"),
  artifactDirectory: join(work, "made"),
  language: "javascript",
  eagerEsModules: true,
};
writeFileSync(join(work, "relay.config.json"), JSON.stringify(settings));
writeFileSync(join(work, "package.json"), '{ "type": "module" }');
execFileSync(compiler, [join(work, "relay.config.json")], { cwd: work, stdio: ["ignore", "pipe", "inherit"] });

/** What the compiler wrote, bundled as an app's would be: by name. */
async function bundled() {
  const files = readdirSync(join(work, "made"));
  const names = files.map((file) => file.replace(".graphql.js", ""));
  const contents = names.map((name) => `export { default as ${name} } from "./made/${name}.graphql";`).join("\n");
  const outfile = join(work, "bundle.mjs");
  await build({ stdin: { contents, resolveDir: work }, outfile, bundle: true, format: "esm", logLevel: "warning" });
  return import(pathToFileURL(outfile));
}
const made = await bundled();

function environment(caller) {
  const network = Network.create(async ({ text }, variables) => {
    const headers = { ...bearer(caller), "content-type": "application/json" };
    return (await fetch(url, { method: "POST", headers, body: JSON.stringify({ query: text, variables }) })).json();
  });
  return new Environment({ network, store: new Store(new RecordSource()) });
}

for (const { name, caller, variables, holds } of asked) {
  holds(await fetchQuery(environment(caller), made[`${module(name)}Query`], variables).toPromise());
}

const agent = environment("agent");
const page = async (request, variables) => {
  await fetchQuery(agent, request, variables).toPromise();
  return agent.lookup(createOperationDescriptor(request, variables).fragment).data;
};
const fragment = made.orderList_customer;
const first = await page(made.orderListQuery, { by: asked[0].variables.by });
const read = (reference) => agent.lookup(runtime.getSelector(fragment, reference)).data;
const { orders, id } = read(first.customer360);
const numbers = orders.edges.map(({ node }) => node.number);
assert.equal(numbers.length, 2);
assert.ok(orders.pageInfo.hasNextPage);
const more = { id, count: 2, cursor: orders.pageInfo.endCursor };
const next = read((await page(made.orderListPaginationQuery, more)).node);
const joined = next.orders.edges.map(({ node }) => node.number);
assert.deepEqual(joined.slice(0, 2), numbers);
assert.equal(new Set(joined).size, 4, "the second page is joined to the first");
