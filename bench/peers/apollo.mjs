// Apollo Server as its documentation has it: the standalone server, and data loaders that live as long as a request.
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import DataLoader from "dataloader";
import { serve } from "./cluster.mjs";
import * as data from "./data.mjs";

/** A loader for each size of page. */
const pages = (list) => {
  const loaders = new Map();
  return (first, id) => {
    if (!loaders.has(first)) loaders.set(first, new DataLoader((ids) => list(ids, first)));
    return loaders.get(first).load(id);
  };
};
const page = (name) => async ({ id }, { first }, loaders) => ({ nodes: await loaders[name](first, id) });

serve(async (port) => {
  const server = new ApolloServer({
    typeDefs: data.schema,
    resolvers: {
      ...data.resolvers,
      Order: {
        ...data.resolvers.Order,
        lines: page("lines"),
        fulfillments: ({ id }, _, loaders) => loaders.fulfillments.load(id),
      },
      Ticket: { messages: page("messages") },
    },
    introspection: false,
  });
  const context = async () => ({
    lines: pages(data.lines),
    fulfillments: new DataLoader(data.fulfillments),
    messages: pages(data.messages),
  });
  await startStandaloneServer(server, { listen: { host: "127.0.0.1", port }, context });
});
