// The page at /graphiql: GraphiQL itself, and above it a bar for the token and the callers' documents.
import { DOC_EXPLORER_PLUGIN, DocExplorerContextProvider } from "@graphiql/plugin-doc-explorer";
import { HISTORY_PLUGIN, HistoryContextProvider } from "@graphiql/plugin-history";
import { GraphiQLProvider } from "@graphiql/react";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import { useEffect, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";

import { Bar } from "./bar.jsx";
import { fetcherWith } from "./fetcher.js";
import { keptToken, keepToken } from "./token.js";

import "graphiql/style.css";
import "./page.css";

const PLUGINS = [DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN];

const WELCOME = `# c360: one view of each customer
#
# 1. Set an access token above.
#    It stays in this browser tab, and is how
#    the schema is read.
# 2. Open one of the callers' documents above,
#    or write your own: the editor completes
#    what you type.
# 3. Run it with Ctrl-Enter.
#
# The book at the left explains every type
# and field.
`;

function Page({ setup }) {
  const [token, setToken] = useState(keptToken);
  const [refused, setRefused] = useState(false);
  // Another token is another fetcher, and with that GraphiQL reads the schema anew.
  const fetcher = useMemo(() => fetcherWith(token, setRefused), [token]);
  const use = (next) => {
    keepToken(next);
    setRefused(false);
    setToken(next);
  };
  return (
    <GraphiQLProvider
      fetcher={fetcher}
      schema={token ? undefined : null}
      plugins={PLUGINS}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      defaultQuery={WELCOME}
      storage={sessionStorage}
    >
      <HistoryContextProvider>
        <DocExplorerContextProvider>
          <Bar setup={setup} token={token} refused={refused} use={use} welcome={WELCOME} />
          <GraphiQLInterface defaultEditorToolsVisibility="variables" showPersistHeadersSettings={false}>
            <GraphiQL.Logo> </GraphiQL.Logo>
          </GraphiQLInterface>
        </DocExplorerContextProvider>
      </HistoryContextProvider>
    </GraphiQLProvider>
  );
}

/** What this gateway offers: documents, and in a demo also callers with their tokens. */
function WithSetup() {
  const [setup, setSetup] = useState();
  useEffect(() => {
    fetch("graphiql/setup.json")
      .then((response) => response.json())
      .catch(() => ({ documents: [], callers: [] }))
      .then(setSetup);
  }, []);
  return setup && <Page setup={setup} />;
}

createRoot(document.getElementById("page")).render(<WithSetup />);
