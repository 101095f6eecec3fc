"""sgqlc: its generator writes Python from introspection and from the callers' documents, and that is then run."""

import pathlib
import subprocess
import sys
import tempfile

from sgqlc.endpoint.http import HTTPEndpoint

from asked import ASKED, ROOT, bearer

url = sys.argv[1]
work = pathlib.Path(tempfile.mkdtemp(prefix="c360-sgqlc-"))
sys.path.insert(0, str(work))


def make(*arguments):
    subprocess.run([sys.executable, "-m", *arguments], check=True, cwd=work)


token = bearer("agent")["Authorization"]
make("sgqlc.introspection", "--header", f"Authorization: {token}", url, "schema.json")
make("sgqlc.codegen", "schema", "schema.json", "c360_schema.py")
for name, caller, variables, holds in ASKED:
    module = "c360_" + name.replace("-", "_")
    make("sgqlc.codegen", "operation", "--schema", "schema.json", "c360_schema", f"{module}.py",
         str(ROOT / "examples" / f"{name}.graphql"))
    queries = vars(__import__(module).Operations.query)
    (operation,) = [value for key, value in queries.items() if not key.startswith("_")]
    answer = HTTPEndpoint(url, bearer(caller))(operation, variables)
    assert "errors" not in answer, answer["errors"]
    holds(answer["data"])
    # Read as the generated objects have it, too.
    root = next(iter(answer["data"]))
    read = getattr(operation + answer, root)
    assert read.nodes[0].number if name == "agent-search" else read.loyalty.tier.name
