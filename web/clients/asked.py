"""What the Python clients ask, and what has to come. Each is run as `python NAME.py URL DIR`, DIR the demo's folder."""

import json
import pathlib
import sys

FOLDER = pathlib.Path(sys.argv[2])
ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKENS = json.loads((FOLDER / "tokens.json").read_text())


def bearer(caller):
    return {"Authorization": f"Bearer {TOKENS[caller]}"}


def document(name):
    return (ROOT / "examples" / f"{name}.graphql").read_text()


def variables(name):
    return json.loads((FOLDER / f"{name}.json").read_text())["variables"]


def agent_holds(data):
    customer = data["customer360"]
    assert customer["number"] == "C-000001"
    assert len(customer["orders"]["nodes"]) == 10
    assert isinstance(customer["loyalty"]["balance"]["active"], int)
    assert len(customer["timeline"]["nodes"]) == 20


def search_holds(data):
    assert "C-000001" in [customer["number"] for customer in data["customers"]["nodes"]]


def phone_holds(data):
    assert "•" not in data["me"]["name"]
    assert isinstance(data["me"]["loyalty"]["pointsToNextTier"], int)


def partner_holds(data):
    assert "•" in data["customer360"]["email"]
    assert data["customer360"]["orders"]["nodes"]


ASKED = [
    (name, caller, variables(name), holds)
    for name, caller, holds in [
        ("agent-first-screen", "agent", agent_holds),
        ("agent-search", "agent", search_holds),
        ("phone-balance", "customer", phone_holds),
        ("partner-read", "partner", partner_holds),
    ]
]
