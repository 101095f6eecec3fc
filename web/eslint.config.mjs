// What schema.graphql and the callers' documents have to keep to: the recommended and the Relay rules of
// graphql-eslint. Every exception stands here, with its reason.
import graphql from "@graphql-eslint/eslint-plugin";

const rulesOf = (...sets) => Object.assign({}, ...sets.map((set) => graphql.configs[`flat/${set}`].rules));

/** Values: they belong to the object that shows them, and nobody asks for one by itself. */
const VALUES = [
  "AuditChange",
  "Consent",
  "CustomerRfm",
  "CustomerSegment",
  "CustomerStatistics",
  "EarningRule",
  "ExchangeLine",
  "ExpiringPoints",
  "LoyaltyCard",
  "LoyaltyQuote",
  "Money",
  "OrderDiscount",
  "PageInfo",
  "PointsBalance",
  "PostalAddress",
  "Satisfaction",
  "SatisfactionScore",
  "Survey",
  "SurveyAnswer",
  "TicketLink",
  "TicketMacroAction",
  "TotalCount",
];

const language = {
  parser: graphql.parser,
  parserOptions: { graphQLConfig: { schema: "schema.graphql", documents: "examples/*.graphql" } },
};

export default [
  {
    files: ["schema.graphql"],
    languageOptions: language,
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...rulesOf("schema-recommended", "schema-relay"),
      // A client's cache finds objects by their `id`. Values have none, and neither have the pages that show them and what
      // mutations answer; a type that is named in neither list needs one.
      "@graphql-eslint/strict-id-in-types": [
        "error",
        { exceptions: { types: VALUES, suffixes: ["Connection", "Edge", "Payload", "UserError"] } },
      ],
      // The search is read forwards only: what matches best comes first, and nobody starts with what matches least.
      "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
      "@graphql-eslint/relay-edge-types": [
        "error",
        {
          withEdgeSuffix: true,
          // Connections have `nodes` beside `edges`, for callers who need no cursors; and a list that is short by its
          // nature (the parcels of an order, the addresses of a customer) is a list, with a limit, and no connection.
          listTypeCanWrapOnlyEdgeType: false,
          // Only what can be looked up by itself is a node. A line, a message or a points lot is part of its order,
          // ticket or account, and is read through it.
          shouldImplementNode: false,
        },
      ],
    },
  },
  {
    files: ["examples/*.graphql"],
    languageOptions: language,
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...rulesOf("operations-recommended"),
      // They show what a caller needs. A client with a cache of its own adds the ids that it keeps objects by.
      "@graphql-eslint/require-selections": "off",
    },
  },
];
