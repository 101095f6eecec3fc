// What every client asks, and what has to come: the callers' documents, and a look at the data.
//
// Each client is run as `node clients/NAME.mjs URL DIR`: URL is that of /graphql, DIR the demo's folder.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const [url, folder] = process.argv.slice(2);
export const root = fileURLToPath(new URL("../..", import.meta.url));
const json = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const tokens = json("tokens.json");

export const bearer = (caller) => ({ authorization: `Bearer ${tokens[caller]}` });

/** Every document with its caller, its variables and what must be true of the data. */
export const asked = [
  {
    name: "agent-first-screen",
    caller: "agent",
    holds({ customer360: customer }) {
      assert.equal(customer.number, "C-000001");
      assert.match(customer.email, /^[^•]+@[^•]+$/);
      assert.ok(customer.identities.length > 1 && customer.consents.length > 0);
      assert.equal(customer.orders.nodes.length, 10);
      for (const order of customer.orders.nodes) {
        assert.match(order.total.amount, /^\d+\.\d\d$/);
        assert.ok(order.lines.nodes.length > 0);
      }
      assert.equal(customer.orders.pageInfo.hasNextPage, true);
      assert.ok(customer.tickets.nodes.length > 0 && customer.feedback.nodes.length > 0);
      assert.ok(Number.isInteger(customer.loyalty.balance.active) && customer.loyalty.tier.name);
      assert.ok(customer.statistics.orderCount > 10);
      assert.equal(customer.timeline.nodes.length, 20);
    },
  },
  {
    name: "agent-search",
    caller: "agent",
    holds({ customers }) {
      assert.ok(customers.nodes.some((customer) => customer.number === "C-000001"));
      assert.equal(typeof customers.pageInfo.hasNextPage, "boolean");
    },
  },
  {
    name: "phone-balance",
    caller: "customer",
    holds({ me }) {
      assert.ok(me.name && !me.name.includes("•"), me.name);
      assert.ok(Number.isInteger(me.loyalty.balance.active) && me.loyalty.tier.name);
      assert.ok(Number.isInteger(me.loyalty.pointsToNextTier));
    },
  },
  {
    name: "partner-read",
    caller: "partner",
    holds({ customer360: customer }) {
      assert.equal(customer.number, "C-000001");
      assert.match(customer.email, /•/, "a partner without pii:read sees a masked address");
      assert.ok(customer.orders.nodes.length > 0 && customer.loyalty.tier.name);
    },
  },
].map((one) => ({ ...one, document: documentOf(one.name), variables: json(`${one.name}.json`).variables }));

function documentOf(name) {
  return readFileSync(join(root, "examples", `${name}.graphql`), "utf8");
}
