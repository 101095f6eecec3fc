// A program over the generated types. It compiles only if the types are those of the schema, nullability included.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";

import { PhoneBalanceDocument } from "../.generated/codegen/documents.js";
import type { Money } from "../.generated/codegen/schema.js";

declare const process: { argv: string[] };
declare function fetch(url: string, init: object): Promise<{ json(): Promise<any> }>;

async function ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
  const headers = { authorization: process.argv[3], "content-type": "application/json" };
  const body = JSON.stringify({ query: print(document), variables });
  const { data, errors } = await (await fetch(process.argv[2]!, { method: "POST", headers, body })).json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

const { me } = await ask(PhoneBalanceDocument, {});
const active: number | undefined = me?.loyalty?.balance?.active;
const until: string | undefined = me?.loyalty?.expiringSoon?.[0]?.expiresAt;
const amount: Pick<Money, "amount">["amount"] = "1.00";
// @ts-expect-error: `me` may be null
me.name;
// @ts-expect-error: the document does not select it
me?.email;
// @ts-expect-error: an amount is an exact decimal in a text, never a number
const wrong: Money["amount"] = 1;
if (typeof active !== "number" || (until !== undefined && Number.isNaN(Date.parse(until)))) throw new Error("no balance");
void [amount, wrong];
