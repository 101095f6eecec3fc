// The schema and the statements of the peers whose resolvers are written by hand. Statements are named, so that each
// connection prepares them once. Lists of lists are had for all parents at once.
import pg from "pg";

pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => text.replace(" ", "T").replace("+00", "Z"));
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });

const rows = (name, text) => (...values) => pool.query({ name, text, values }).then((result) => result.rows);
const row = (name, text) => {
  const all = rows(name, text);
  return (...values) => all(...values).then((found) => found[0] ?? null);
};
/** Rows that carry their parent in `parent`, as one list for each of the ids. */
const grouped = (name, text) => {
  const all = rows(name, text);
  return async (ids, ...rest) => {
    const lists = new Map(ids.map((id) => [id, []]));
    for (const found of await all(ids, ...rest)) lists.get(found.parent).push(found);
    return ids.map((id) => lists.get(id));
  };
};

export const customer = row("customer", `SELECT id, number, name, locale, birthday, preferred_channel AS "preferredChannel",
  member_since AS "memberSince", vip, risk FROM customers WHERE id = $1`);
export const orders = rows("orders", `SELECT id, number, channel, status, placed_at AS "placedAt", total, currency
  FROM orders WHERE customer_id = $1 ORDER BY placed_at DESC, id DESC LIMIT $2`);
export const lines = grouped("lines", `SELECT x.* FROM unnest($1::uuid[]) o (id) CROSS JOIN LATERAL (
  SELECT order_id AS parent, sku, title, quantity, total, currency FROM order_lines WHERE order_id = o.id
  ORDER BY position LIMIT $2) x`);
export const fulfillments = grouped("fulfillments", `SELECT order_id AS parent, status, carrier,
  tracking_number AS "trackingNumber", shipped_at AS "shippedAt", delivered_at AS "deliveredAt"
  FROM fulfillments WHERE order_id = ANY ($1::uuid[]) ORDER BY created_at, id`);
export const tickets = rows("tickets", `SELECT id, number, subject, status, priority, channel, created_at AS "createdAt"
  FROM tickets WHERE customer_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2`);
export const messages = grouped("messages", `SELECT x.* FROM unnest($1::uuid[]) t (id) CROSS JOIN LATERAL (
  SELECT ticket_id AS parent, author_kind AS "authorKind", body, created_at AS "createdAt" FROM ticket_messages
  WHERE ticket_id = t.id AND visibility = 'PUBLIC' ORDER BY created_at DESC, id DESC LIMIT $2) x`);
export const loyalty = row("loyalty", `SELECT id, number, status, lifetime_points AS "lifetimePoints",
  active_points AS active, pending_points AS pending, held_points AS held, spent_points AS spent, expired_points AS expired
  FROM loyalty_accounts WHERE customer_id = $1
  AND programme_id = (SELECT id FROM loyalty_programmes WHERE active ORDER BY created_at, id LIMIT 1)`);
export const transactions = rows("transactions", `SELECT id, kind, points, reason, occurred_at AS "occurredAt"
  FROM loyalty_transactions WHERE account_id = $1 ORDER BY occurred_at DESC, id DESC LIMIT $2`);
export const feedback = rows("feedback", `SELECT id, channel, metric, score, sentiment, body AS text, given_at AS "givenAt"
  FROM feedback WHERE customer_id = $1 ORDER BY given_at DESC, id DESC LIMIT $2`);
export const timeline = rows("timeline", `SELECT id, kind, channel, label, occurred_at AS "occurredAt" FROM events
  WHERE customer_id = $1 AND visibility <> 'AUDIT' ORDER BY occurred_at DESC, id DESC LIMIT $2`);

export const money = ({ total, currency }) => {
  const digits = currency === "KRW" || currency === "JPY" ? 0 : 2;
  const text = String(total).padStart(digits + 1, "0");
  const amount = digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text;
  return { amount, currencyCode: currency };
};

/** The resolvers that both have; `nodes` gives a page its shape. */
const page = (list) => async (parent, { first }) => ({ nodes: await list(parent.id, first) });
export const resolvers = {
  Query: { customer360: (_, { by }) => customer(by.id) },
  Customer: {
    orders: page(orders),
    tickets: page(tickets),
    loyalty: ({ id }) => loyalty(id),
    feedback: page(feedback),
    timeline: page(timeline),
  },
  Order: { total: money },
  OrderLine: { total: money },
  LoyaltyAccount: { balance: (account) => account, transactions: page(transactions) },
};

export const schema = `
input CustomerIdentifier { id: ID }
type Query { customer360(by: CustomerIdentifier!): Customer }
type Money { amount: String! currencyCode: String! }
type Customer {
  id: ID! number: String! name: String locale: String birthday: String preferredChannel: String memberSince: String
  vip: Boolean! risk: String! orders(first: Int = 20): Orders tickets(first: Int = 20): Tickets loyalty: LoyaltyAccount
  feedback(first: Int = 20): FeedbackList timeline(first: Int = 20): Timeline
}
type Orders { nodes: [Order!]! }
type Order {
  id: ID! number: String! channel: String! status: String! placedAt: String! total: Money!
  lines(first: Int = 20): OrderLines fulfillments: [Fulfillment!]
}
type OrderLines { nodes: [OrderLine!]! }
type OrderLine { sku: String! title: String! quantity: Int! total: Money! }
type Fulfillment { status: String! carrier: String trackingNumber: String shippedAt: String deliveredAt: String }
type Tickets { nodes: [Ticket!]! }
type Ticket {
  id: ID! number: String! subject: String! status: String! priority: String! channel: String! createdAt: String!
  messages(first: Int = 20): Messages
}
type Messages { nodes: [Message!]! }
type Message { authorKind: String! body: String! createdAt: String! }
type LoyaltyAccount {
  number: String! status: String! lifetimePoints: Int! balance: Balance! transactions(first: Int = 20): Transactions
}
type Balance { active: Int! pending: Int! held: Int! spent: Int! expired: Int! }
type Transactions { nodes: [Transaction!]! }
type Transaction { id: ID! kind: String! points: Int! reason: String occurredAt: String! }
type FeedbackList { nodes: [Feedback!]! }
type Feedback {
  id: ID! channel: String! metric: String score: Int sentiment: String text: String givenAt: String!
}
type Timeline { nodes: [TimelineEntry!]! }
type TimelineEntry { id: ID! kind: String! channel: String label: String occurredAt: String! }
`;
