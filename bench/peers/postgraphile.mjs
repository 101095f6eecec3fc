// PostGraphile as its documentation has it for production: the Amber preset over the tables, lists for connections.
import { createServer } from "node:http";
import { PgSimplifyInflectionPreset } from "@graphile/simplify-inflection";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { serve } from "./cluster.mjs";

serve(async (port) => {
  const preset = {
    extends: [PostGraphileAmberPreset, PgSimplifyInflectionPreset],
    // Ids are the tables' own; sorting by any column may be asked for, and mutations are not.
    disablePlugins: [
      "NodePlugin",
      "PgIndexBehaviorsPlugin",
      "PgMutationCreatePlugin",
      "PgMutationUpdateDeletePlugin",
    ],
    schema: { defaultBehavior: "-connection +list +orderBy +filterBy", pgOmitListSuffix: true },
    grafserv: { watch: false, graphqlPath: "/graphql", graphiql: false },
    grafast: { explain: false },
    pgServices: [
      makePgService({
        connectionString: process.env.DATABASE_URL,
        schemas: ["public", "peers"],
        poolConfig: { max: 10 },
      }),
    ],
  };
  const server = createServer();
  const instance = postgraphile(preset).createServ(grafserv);
  await instance.addTo(server);
  server.listen(port, "127.0.0.1");
});
