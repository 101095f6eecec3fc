// Runs the public audit suite of the GraphQL-over-HTTP specification against a gateway.
//
//   node audits.mjs URL TOKEN      URL is that of /graphql
//
// Prints each audit that does not hold, with what came instead, and closes with `N of M audits hold`.
import { serverAudits } from "graphql-http";

const [url, token] = process.argv.slice(2);
const fetchFn = (input, init = {}) => {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${token}`);
  return fetch(input, { ...init, headers, signal: AbortSignal.timeout(10_000) });
};

async function outcome(audit) {
  try {
    return await audit.fn();
  } catch (error) {
    return { status: "error", reason: String(error) };
  }
}

const audits = serverAudits({ url, fetchFn });
let held = 0;
for (const audit of audits) {
  const { status, reason, response } = await outcome(audit);
  if (status === "ok") {
    held += 1;
    continue;
  }
  const came = response ? ` (HTTP ${response.status}, ${response.headers.get("content-type")})` : "";
  console.log(`${status.toUpperCase().padEnd(6)} ${audit.id} ${audit.name}: ${reason}${came}`);
}
console.log(`${held} of ${audits.length} audits hold`);
process.exitCode = held === audits.length && held > 0 ? 0 : 1;
