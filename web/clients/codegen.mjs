// GraphQL Code Generator: types from schema.graphql and the callers' documents, checked by the TypeScript compiler in a
// program that uses them, and the program run.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { generate } from "@graphql-codegen/cli";
import { build } from "esbuild";

import { bearer, root, url } from "./asked.mjs";

const work = join(root, "web/.generated/codegen");
await generate({
  schema: join(root, "schema.graphql"),
  documents: join(root, "examples/*.graphql"),
  silent: true,
  config: {
    strictScalars: true,
    scalars: { CurrencyCode: "string", Date: "string", DateTime: "string", Decimal: "string" },
  },
  generates: {
    [join(work, "schema.ts")]: { plugins: ["typescript"] },
    [join(work, "documents.ts")]: { plugins: ["typescript-operations", "typed-document-node"] },
  },
});
const program = join(root, "web/clients/typed.ts");
const bin = join(root, "web/node_modules/.bin");
const strict = ["--strict", "--noEmit", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"];
execFileSync(join(bin, "tsc"), [...strict, program], { stdio: ["ignore", "inherit", "inherit"] });
const outfile = join(work, "typed.mjs");
await build({ entryPoints: [program], outfile, bundle: true, format: "esm", platform: "node", logLevel: "warning" });
execFileSync(process.execPath, [outfile, url, bearer("customer").authorization], { stdio: ["ignore", "inherit", "inherit"] });
