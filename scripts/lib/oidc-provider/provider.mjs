// A real identity provider (npm oidc-provider) whose keys rotate while a load of requests goes to the gateway.
// Started by scripts/oidc-provider, which says what it shows. Prints one closing line; exits non-zero on any failure.
import { createServer, Agent, request } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import Provider from 'oidc-provider';

const { GATEWAY, PROVIDER_PORT, CLIENT, SECRET, AUDIENCE } = process.env;
const ROTATIONS = Number(process.env.ROTATIONS);
const COOLDOWN = Number(process.env.COOLDOWN) * 1000;
const WORKERS = Number(process.env.WORKERS);
const ISSUER = `http://127.0.0.1:${PROVIDER_PORT}`;
const RESOURCE = 'https://api.retailer.example';

const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function fail(text) {
  console.error(`error: ${text}`);
  process.exit(1);
}

// --- the provider ---

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
}

/** A provider that signs with the first of these keys and publishes all. */
function providerWith(keys) {
  const provider = new Provider(ISSUER, {
    jwks: { keys },
    clients: [{
      client_id: CLIENT,
      client_secret: SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    }],
    scopes: ['orders:read', 'customers:read'],
    ttl: { ClientCredentials: 600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'orders:read customers:read',
          audience: AUDIENCE,
          accessTokenTTL: 600,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  provider.on('server_error', (_, error) => fail(`the provider: ${error.stack}`));
  return provider.callback();
}

let keys = [newKey()];
let answer = providerWith(keys);
let fetches = 0;
function publish(next) {
  keys = next;
  answer = providerWith(keys);
}
const server = createServer((asked, response) => {
  if (asked.url === '/jwks') fetches += 1;
  answer(asked, response);
});
server.listen(Number(PROVIDER_PORT), '127.0.0.1');
await once(server, 'listening');

// --- asking ---

function send(url, headers, body) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function newToken() {
  const headers = {
    authorization: `Basic ${Buffer.from(`${CLIENT}:${SECRET}`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
  };
  const form = new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE, scope: 'orders:read' });
  const { status, text } = await send(`${ISSUER}/token`, headers, form.toString());
  if (status !== 200) fail(`the provider gives no token: ${status} ${text}`);
  return JSON.parse(text).access_token;
}

const question = JSON.stringify({ query: '{ __typename }' });
async function ask(token) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return (await send(`${GATEWAY}/graphql`, headers, question)).status;
}

/** Until the gateway answers a token with this status; how long it took. */
async function becomes(token, status, limit) {
  const begun = Date.now();
  for (;;) {
    if ((await ask(token)) === status) return Date.now() - begun;
    if (Date.now() - begun > limit) fail(`no ${status} within ${limit} ms`);
    await sleep(50);
  }
}

// --- the gateway starts while the provider is there, and its first tokens are good ---

for (let tries = 0; ; tries += 1) {
  const ready = await fetch(`${GATEWAY}/readyz`).then((it) => it.ok, () => false);
  if (ready) break;
  if (tries > 200) fail('the gateway is not ready');
  await sleep(100);
}
const first = await newToken();
const head = JSON.parse(Buffer.from(first.split('.')[0], 'base64url'));
if (head.typ !== 'at+jwt' || head.kid !== keys[0].kid) fail(`an unexpected token: ${JSON.stringify(head)}`);
await becomes(first, 200, 10000);

// --- rotation under load ---

const counts = {};
let tokens = 0;
let over = false;
const begun = Date.now();
const workers = Array.from({ length: WORKERS }, async () => {
  let token;
  for (let n = 0; !over; n += 1) {
    if (n % 10 === 0) {
      token = await newToken();
      tokens += 1;
    }
    const status = await ask(token);
    counts[status] = (counts[status] ?? 0) + 1;
  }
});
for (let n = 0; n < ROTATIONS; n += 1) {
  await sleep(COOLDOWN + 1000);
  publish([newKey(), keys[0]]); // signs with a key that the gateway has never seen, from this moment on
}
await sleep(2000);
over = true;
await Promise.all(workers);
const seconds = (Date.now() - begun) / 1000;
const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
const rejected = total - (counts[200] ?? 0);
if (rejected !== 0) fail(`${rejected} of ${total} requests were not answered: ${JSON.stringify(counts)}`);

// --- a key that is withdrawn ---

if ((await ask(first)) !== 401) fail('a token of the first key, which went with the second rotation, still works');
const withdrawn = await newToken();
if ((await ask(withdrawn)) !== 200) fail('a token of the present key is refused');
publish([newKey()]);
const learned = await becomes(withdrawn, 401, COOLDOWN * 2 + 5000);
const good = await newToken();
if ((await ask(good)) !== 200) fail('a token of the newest key is refused');

// --- key ids that nobody knows ---

const before = fetches;
const flooding = Date.now();
const [, body, signature] = good.split('.');
let flooded = 0;
await Promise.all(Array.from({ length: 32 }, async () => {
  while (flooded < 10000) {
    flooded += 1;
    const unknown = Buffer.from(JSON.stringify({ alg: 'RS256', typ: 'at+jwt', kid: randomUUID() })).toString('base64url');
    const status = await ask(`${unknown}.${body}.${signature}`);
    if (status !== 401) fail(`an unknown key is answered ${status}`);
  }
}));
const looks = fetches - before;
const allowed = 2 * Math.ceil((Date.now() - flooding) / COOLDOWN); // one for tokens, one in the background
if (looks > allowed) fail(`${looks} fetches for 10000 unknown keys; at most ${allowed} are allowed`);
if ((await ask(good)) !== 200) fail('a good token is refused after the flood');

console.log(
  `${ROTATIONS} rotations, ${total} requests (${Math.round(total / seconds)}/s) with ${tokens} tokens, ${rejected} rejected; ` +
  `a withdrawn key refused after ${learned} ms; 10000 unknown keys, ${looks} fetches in ${Math.round((Date.now() - flooding) / 1000)} s`,
);
process.exit(0);
