// The token lives as long as the browser tab, and never in an address.
const KEY = "c360:token";

export const keptToken = () => sessionStorage.getItem(KEY) ?? "";

export function keepToken(token) {
  if (token) sessionStorage.setItem(KEY, token);
  else sessionStorage.removeItem(KEY);
}

/** Whom a token names and until when, as far as its claims say; nothing is verified here. */
export function describe(token) {
  let claims;
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (c) => c.charCodeAt(0))));
  } catch {
    return "This is not a JSON web token";
  }
  const kind = claims.roles?.join(", ") ?? (claims.customer_id ? "customer" : "client");
  const who = claims.customer_id ? "" : ` ${claims.roles ? claims.sub : (claims.client_id ?? claims.sub)}`;
  const until = new Date(claims.exp * 1000);
  const when = Number.isNaN(until.getTime()) ? "" : `, until ${until.toLocaleString()}`;
  return until < Date.now() ? `Expired: ${kind}${who}` : `${kind}${who}${when}`;
}
