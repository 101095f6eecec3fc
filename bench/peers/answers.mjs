// Holds the answers of a server against the gateway's, field by field:
//
//   node answers.mjs ids IN OUT                     ids of the gateway, as the tables have them
//   node answers.mjs compare GATEWAY-URL TOKEN URL DOCUMENT IDS
//
// Three notations are evened out: ids (the gateway's are typed), points in time, and what PostGraphile's dialect says
// otherwise (lists for pages, minor units for money, texts for large numbers).
import { readFileSync, writeFileSync } from "node:fs";
import { money } from "./data.mjs";

const lines = (file) => readFileSync(file, "utf8").split("\n").filter(Boolean);
const digits = "0123456789abcdefghjkmnpqrstvwxyz";
function uuid(id) {
  let number = 0n;
  for (const digit of id.split("_").at(-1)) number = number * 32n + BigInt(digits.indexOf(digit));
  return number.toString(16).padStart(32, "0").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function evened(value) {
  if (typeof value !== "string") return value;
  if (/^[a-z_]+_[0-9a-z]{26}$/.test(value)) return uuid(value);
  const time = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)$/.exec(value);
  return time ? time[1] + (time[2] ?? "").replace(/\.?0+$/, "") : value;
}

/** An answer of PostGraphile in the gateway's words. */
function translated(customer) {
  const nodes = (list, each = (item) => item) => ({ nodes: list.map(each) });
  const priced = ({ total, currency, ...rest }) => ({ ...rest, total: money({ total, currency }) });
  const numbers = (item, ...names) => ({ ...item, ...Object.fromEntries(names.map((name) => [name, Number(item[name])])) });
  const account = ({ activePoints, pendingPoints, heldPoints, spentPoints, expiredPoints, transactions, ...rest }) => ({
    ...numbers(rest, "lifetimePoints"),
    balance: {
      active: Number(activePoints),
      pending: Number(pendingPoints),
      held: Number(heldPoints),
      spent: Number(spentPoints),
      expired: Number(expiredPoints),
    },
    transactions: nodes(transactions, (item) => numbers(item, "points")),
  });
  return {
    ...customer,
    orders: nodes(customer.orders, (order) => ({ ...priced(order), lines: nodes(order.lines, priced) })),
    tickets: nodes(customer.tickets, (ticket) => ({ ...ticket, messages: nodes(ticket.messages) })),
    loyalty: customer.loyalty.length ? account(customer.loyalty[0]) : null,
    feedback: nodes(customer.feedback),
    timeline: nodes(customer.timeline),
  };
}

/** How many values are the same; throws where one is not. */
function same(a, b, path) {
  if (a !== null && b !== null && typeof a === "object" && typeof b === "object") {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    let count = 0;
    for (const key of keys) count += same(a[key], b[key], `${path}.${key}`);
    return count;
  }
  if (evened(a) === evened(b)) return 1;
  throw new Error(`${path}: the gateway has ${JSON.stringify(a)}, the other ${JSON.stringify(b)}`);
}

async function ask(url, query, variables, headers = {}) {
  const body = JSON.stringify({ query, variables });
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
  const answer = await response.json();
  if (answer.errors || !answer.data?.customer360) throw new Error(`${url}: ${JSON.stringify(answer).slice(0, 500)}`);
  return answer.data.customer360;
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === "ids") {
  const [from, to] = rest;
  writeFileSync(to, lines(from).map((id) => `${uuid(id)}\n`).join(""));
} else {
  const [gateway, token, url, document, ids] = rest;
  const own = readFileSync(new URL("reduced.graphql", import.meta.url), "utf8");
  const other = readFileSync(document, "utf8");
  const dialect = other.includes("$id: UUID!");
  let fields = 0;
  for (const id of lines(ids)) {
    const a = await ask(gateway, own, { by: { id } }, { authorization: `Bearer ${token}` });
    const b = await ask(url, other, dialect ? { id: uuid(id) } : { by: { id: uuid(id) } });
    fields += same(a, dialect ? translated(b) : b, id);
  }
  console.log(`${lines(ids).length} answers, ${fields} fields: the same`);
  process.exit(0);
}
