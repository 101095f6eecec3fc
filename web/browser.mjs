// Opens /graphiql of a running demo in Chromium, as a person would.
//
//   node browser.mjs URL CHROMIUM TOKENS [PICTURES]
//
// TOKENS is the demo's tokens.json; PICTURES a folder for screenshots, if any are wanted. Fails on a request to any
// other host, on anything that the page's content security policy stops, and on anything on the console.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

const [url, executablePath, tokensFile, pictures] = process.argv.slice(2);
const tokens = JSON.parse(readFileSync(tokensFile, "utf8"));
const profile = mkdtempSync(join(tmpdir(), "c360-browser-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  viewport: { width: 1360, height: 840 },
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
context.setDefaultTimeout(15_000);

const faults = [];
const requests = [];
await context.route(
  (address) => address.origin !== new URL(url).origin,
  (route) => {
    faults.push(`a request to ${route.request().url()}`);
    return route.abort();
  },
);
const page = await context.newPage();
page.on("request", (request) => requests.push(request));
page.on("console", (message) => faults.push(`on the console: ${message.text()}`));
page.on("pageerror", (error) => faults.push(`uncaught: ${error}`));
await page.addInitScript(() => {
  document.addEventListener("securitypolicyviolation", (event) => {
    console.error(`stopped by the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
  });
});

let steps = 0;
async function step(what, body) {
  try {
    await body();
  } catch (error) {
    if (pictures) await page.screenshot({ path: join(pictures, "failed.png") });
    throw new Error(`${what}: ${error.message}`, { cause: error });
  }
  assert.deepEqual(faults, [], what);
  steps += 1;
  console.log(`ok  ${what}`);
}
async function picture(name) {
  if (!pictures) return;
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(pictures, `${name}-${colorScheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: null });
}

const status = page.locator(".bar [role=status]");
const result = page.locator(".result-window .CodeMirror");
const shown = () => result.evaluate((editor) => editor.CodeMirror.getValue());
const run = () => page.getByRole("button", { name: /execute query/i }).click();
const open = (title) => page.getByLabel("Open a document").selectOption({ label: title });
async function answered(text) {
  await page.waitForFunction(
    (text) => document.querySelector(".result-window .CodeMirror")?.CodeMirror.getValue().includes(text),
    text,
  );
}
const setToken = async (token) => {
  await page.getByLabel("Access token").fill(token);
  await page.getByRole("button", { name: "Use" }).click();
};

try {
  await step("the page opens, and explains that it needs a token", async () => {
    await page.goto(url);
    assert.equal(await page.title(), "c360 GraphiQL");
    await status.filter({ hasText: "No token yet" }).waitFor();
    await picture("empty");
    await open("Customer's phone: the balance");
    await run();
    await answered("Set an access token above first");
    assert.equal(requests.filter((request) => request.url().endsWith("/graphql")).length, 0);
  });

  await step("a token that is set is who asks, and stays out of every address", async () => {
    await setToken(tokens.agent);
    await status.filter({ hasText: "agent agent-1, until" }).waitFor();
    for (const request of requests) assert.ok(!request.url().includes(tokens.agent.slice(-20)), request.url());
    assert.ok(!page.url().includes("?"), page.url());
    const kept = await page.evaluate(() => [Object.values(localStorage).join(), Object.values(sessionStorage).join()]);
    assert.ok(!kept[0].includes(tokens.agent) && kept[1].includes(tokens.agent));
  });

  await step("the agent's first screen from the menu shows the customer", async () => {
    await open("Agent: the first screen");
    const screen = page.waitForResponse(
      (response) => response.url().endsWith("/graphql") && response.request().postData().includes("AgentFirstScreen"),
    );
    await run();
    const { data, errors } = await (await screen).json();
    assert.equal(errors, undefined, JSON.stringify(errors));
    const { name, orders } = data.customer360;
    assert.ok(name.length > 3 && orders.nodes.length > 0, JSON.stringify(data));
    await answered(`"name": "${name}"`);
    await picture("answer");
  });

  await step("the explanation of the schema finds Customer and its orders", async () => {
    await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
    const docs = page.locator(".graphiql-doc-explorer");
    await docs.getByRole("combobox").pressSequentially("Customer");
    await docs.getByRole("option", { name: "Customer", exact: true }).click();
    await docs.locator(".graphiql-doc-explorer-title", { hasText: /^Customer$/ }).waitFor();
    await docs.getByRole("link", { name: "orders", exact: true }).first().waitFor();
    await picture("docs");
    await page.getByRole("button", { name: "Hide Documentation Explorer" }).click();
  });

  await step("a field is completed while it is typed", async () => {
    await page.getByRole("button", { name: "New tab" }).click();
    const editor = page.locator(".graphiql-query-editor .CodeMirror").first();
    await editor.evaluate((element) => element.CodeMirror.setValue(""));
    await editor.click();
    await page.keyboard.type("{ custo");
    const hint = page.locator(".CodeMirror-hint", { hasText: "customer360" });
    await hint.waitFor();
    await picture("completion");
    await hint.click();
    assert.match(await editor.evaluate((element) => element.CodeMirror.getValue()), /^\{\s*customer360/);
  });

  await step("the dialogs open, and the theme can be chosen", async () => {
    await page.getByRole("button", { name: "Open settings dialog" }).click();
    await page.getByRole("button", { name: "Dark", exact: true }).click();
    await page.locator("body.graphiql-dark").waitFor();
    await picture("settings");
    await page.getByRole("button", { name: "System", exact: true }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Open short keys dialog" }).click();
    await page.getByRole("heading", { name: "Short Keys" }).waitFor();
    await page.keyboard.press("Escape");
  });

  await step("the demo's customer is chosen by name, and sees their own points", async () => {
    await page.getByLabel("Ask as").selectOption("customer");
    await status.filter({ hasText: "customer, until" }).waitFor();
    await open("Customer's phone: the balance");
    await run();
    await answered('"pointsToNextTier"');
    assert.ok(!(await shown()).includes('"errors"'), await shown());
  });

  await step("a reload keeps the token and the documents, until the token is forgotten", async () => {
    await page.reload();
    await status.filter({ hasText: "customer, until" }).waitFor();
    await page.getByRole("tab", { name: "PhoneBalance" }).waitFor();
    await page.getByRole("button", { name: "Forget" }).click();
    await status.filter({ hasText: "No token yet" }).waitFor();
  });

  await step("what is wrong with a token is said", async () => {
    // The browser itself writes the refusal to the console.
    page.removeAllListeners("console");
    await setToken(`${tokens.agent.slice(0, -6)}AAAAAA`);
    await status.filter({ hasText: "The gateway refused this token" }).waitFor();
  });
  console.log(`${steps} steps in the browser`);
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
