// Builds the page's bundle into src/http/graphiql/, which is committed, so that `cargo build` needs no Node.
//
//   node graphiql/build.mjs           writes it
//   node graphiql/build.mjs --check   fails if what is committed is not what the sources give
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const web = dirname(here);
const target = join(web, "../src/http/graphiql");

/** Leaves out the fonts that the style sheets carry inline: they are half of the bytes, and every system has its own. */
const withoutFonts = {
  name: "without-fonts",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(/@font-face\s*\{[^}]*\}/g, ""),
      loader: "css",
    }));
  },
};

const { outputFiles, metafile } = await build({
  absWorkingDir: web,
  entryPoints: [join(here, "page.jsx")],
  outdir: "/",
  bundle: true,
  write: false,
  metafile: true,
  minify: true,
  format: "iife",
  target: ["chrome111", "firefox114", "safari16.4"],
  jsx: "automatic",
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  alias: { "react-style-singleton": join(here, "no-styles.js") },
  plugins: [withoutFonts],
  logLevel: "warning",
});

/** The licence of each package that something of is in the bundle. */
function licences() {
  const folders = new Set();
  for (const [input, { bytesInOutput }] of Object.values(metafile.outputs).flatMap((o) => Object.entries(o.inputs))) {
    const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
    if (folder && bytesInOutput > 0) folders.add(folder);
  }
  const entries = [...folders].map((folder) => {
    const { name, version, license, author } = JSON.parse(readFileSync(join(web, folder, "package.json"), "utf8"));
    const file = readdirSync(join(web, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const by = typeof author === "string" ? author : author?.name;
    const text = file ? readFileSync(join(web, folder, file), "utf8").trim() : `${license}. Written by ${by ?? name}.`;
    return { title: `${name} ${version} (${license})`, text: text.replaceAll("\r\n", "\n") };
  });
  // Packages that share a text are named above it together.
  const byText = new Map();
  for (const { title, text } of entries.sort((a, b) => (a.title < b.title ? -1 : 1))) {
    byText.set(text, [...(byText.get(text) ?? []), title]);
  }
  const rule = "-".repeat(80);
  const parts = [...byText].map(([text, titles]) => `${titles.join("\n")}\n\n${text}\n`);
  return `The page at /graphiql contains these packages.\n\n${rule}\n${parts.join(`\n${rule}\n`)}`;
}

const made = new Map([
  ["index.html", readFileSync(join(here, "index.html"))],
  ["icon.svg", readFileSync(join(here, "icon.svg"))],
  ["licences.txt", Buffer.from(licences())],
  ...outputFiles.map(({ path, contents }) => [path.slice(1), Buffer.from(contents)]),
]);

let stale = 0;
for (const [name, contents] of made) {
  const file = join(target, `${name}.gz`);
  if (process.argv.includes("--check")) {
    let committed;
    try {
      committed = gunzipSync(readFileSync(file));
    } catch {}
    if (!committed?.equals(contents)) {
      console.log(`${file} is not what the sources give: run ./scripts/graphiql and commit it`);
      stale += 1;
    }
  } else {
    const packed = gzipSync(contents, { level: 9 });
    writeFileSync(file, packed);
    console.log(`${name}: ${contents.length} bytes, ${packed.length} compressed`);
  }
}
if (process.argv.includes("--check") && stale === 0) console.log(`${made.size} files are what the sources give`);
process.exitCode = stale > 0 ? 1 : 0;
