-- A computed column, as PostGraphile's documentation has it for what a condition cannot say.
CREATE SCHEMA IF NOT EXISTS peers;
CREATE OR REPLACE FUNCTION peers.customers_timeline(customer public.customers) RETURNS SETOF public.events
LANGUAGE sql STABLE AS $$
  SELECT * FROM public.events WHERE customer_id = customer.id AND visibility <> 'AUDIT' ORDER BY occurred_at DESC, id DESC
$$;
