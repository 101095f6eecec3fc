// Asks the gateway. What is set in GraphiQL's own header editor wins over the token of the bar.
const UNASKED = {
  errors: [{ message: "Set an access token above first: the gateway answers nobody without one." }],
};

export function fetcherWith(token, setRefused) {
  return async (parameters, options) => {
    const headers = new Headers({
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
    });
    if (token) headers.set("authorization", `Bearer ${token}`);
    for (const [name, value] of Object.entries(options?.headers ?? {})) headers.set(name, value);
    if (!headers.has("authorization")) return UNASKED;
    const response = await fetch("graphql", { method: "POST", headers, body: JSON.stringify(parameters) });
    setRefused(response.status === 401);
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch {
      return { errors: [{ message: `The gateway answered with HTTP ${response.status}: ${text || "nothing"}` }] };
    }
  };
}
