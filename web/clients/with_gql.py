"""gql: the schema is fetched by introspection, the callers' documents are validated against it, then run."""

import sys

from gql import Client, gql
from gql.transport.requests import RequestsHTTPTransport
from graphql import GraphQLError

from asked import ASKED, bearer, document

url = sys.argv[1]
for name, caller, variables, holds in ASKED:
    transport = RequestsHTTPTransport(url=url, headers=bearer(caller))
    with Client(transport=transport, fetch_schema_from_transport=True) as session:
        query = gql(document(name))
        query.variable_values = variables
        holds(session.execute(query))
        try:
            session.execute(gql("{ customer360 { nme } }"))
            sys.exit("a document that does not fit the schema was not refused")
        except GraphQLError as error:
            assert "nme" in str(error), error
