// Mercurius as its documentation has it for speed: compiled queries, and loaders against one statement per parent.
import Fastify from "fastify";
import mercurius from "mercurius";
import { serve } from "./cluster.mjs";
import * as data from "./data.mjs";

const ids = (queries) => queries.map(({ obj }) => obj.id);
const pages = (list) => async (queries) =>
  (await list(ids(queries), queries[0].params.first)).map((nodes) => ({ nodes }));
const uncached = (loader) => ({ loader, opts: { cache: false } });

serve(async (port) => {
  const app = Fastify({ logger: false });
  app.register(mercurius, {
    schema: data.schema,
    resolvers: data.resolvers,
    loaders: {
      Order: {
        lines: uncached(pages(data.lines)),
        fulfillments: uncached((queries) => data.fulfillments(ids(queries))),
      },
      Ticket: { messages: uncached(pages(data.messages)) },
    },
    jit: 1,
    graphiql: false,
  });
  await app.listen({ host: "127.0.0.1", port });
});
