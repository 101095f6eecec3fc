// The bar above GraphiQL: who asks, and the callers' documents.
import { useEditorContext } from "@graphiql/react";
import { useState } from "react";
import { flushSync } from "react-dom";

import { describe } from "./token.js";

export function Bar({ setup, token, refused, use, welcome }) {
  return (
    <header className="bar">
      <h1>c360</h1>
      <Documents documents={setup.documents} welcome={welcome} />
      {setup.callers.length > 0 && <Callers callers={setup.callers} token={token} use={use} />}
      <Token token={token} use={use} />
      <p role="status" className={refused || !token ? "wanting" : undefined}>
        {status(token, refused)}
      </p>
    </header>
  );
}

function status(token, refused) {
  if (!token) return "No token yet: set one, and the schema and its explanations are read";
  return refused ? "The gateway refused this token" : describe(token);
}

/** Opens a document in the current tab if nothing is in it, else in a tab of its own. */
function Documents({ documents, welcome }) {
  const editors = useEditorContext({ nonNull: true });
  const open = (name) => {
    const chosen = documents.find((document) => document.name === name);
    // GraphiQL notices a moment later which operation the new text names: until then, the old one must not be asked for.
    editors.queryEditor.operationName = null;
    const at = editors.tabs.findIndex((tab) => tab.query === chosen.document);
    if (at >= 0) return editors.changeTab(at);
    if (!["", welcome.trim()].includes(editors.queryEditor.getValue().trim())) flushSync(() => editors.addTab());
    editors.queryEditor.setValue(chosen.document);
    const variables = Object.keys(chosen.variables).length > 0 ? JSON.stringify(chosen.variables, null, 2) : "";
    editors.variableEditor?.setValue(variables);
  };
  return (
    <select aria-label="Open a document" value="" onChange={(event) => open(event.target.value)}>
      <option value="" disabled>
        Open a document…
      </option>
      {documents.map(({ name, title }) => (
        <option key={name} value={name}>
          {title}
        </option>
      ))}
    </select>
  );
}

/** The demo's own callers, whose tokens are good for its synthetic data alone. */
function Callers({ callers, token, use }) {
  const current = callers.find((caller) => caller.token === token);
  return (
    <select
      aria-label="Ask as"
      value={current?.name ?? ""}
      onChange={(event) => use(callers.find(({ name }) => name === event.target.value).token)}
    >
      <option value="" disabled>
        Ask as…
      </option>
      {callers.map(({ name }) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Token({ token, use }) {
  const [typed, setTyped] = useState("");
  const submit = (event) => {
    event.preventDefault();
    use(typed.trim().replace(/^bearer\s+/i, ""));
    setTyped("");
  };
  return (
    <form onSubmit={submit}>
      <input
        type="password"
        autoComplete="off"
        spellCheck="false"
        aria-label="Access token"
        placeholder={token ? "Another access token" : "Access token"}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <button type="submit" disabled={!typed.trim()}>
        Use
      </button>
      <button type="button" disabled={!token} onClick={() => use("")}>
        Forget
      </button>
    </form>
  );
}
