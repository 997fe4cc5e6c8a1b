-- Statements of orders, their lines and what contacts bought. Everything is set-wise.

-- name: owners
SELECT i.kind, i.blind, i.contact_id
  FROM unnest(%(kinds)s::text[], %(blinds)s::bytea[]) AS wanted (kind, blind)
  JOIN contacts_identifier i ON i.kind = wanted.kind AND i.blind = wanted.blind

-- name: present
-- In the order of ids, so that two writers lock the same rows in the same order.
SELECT id, external_id, digest, changed_at, contact_id, missing, state, source_state, kind, total_minor, refunded_minor,
       number, currency, shipping_minor, discount_minor, tax_minor, items
  FROM commerce_order
 WHERE source = %(source)s AND external_id = ANY(%(ids)s::text[])
 ORDER BY id
   FOR UPDATE

-- name: write
INSERT INTO commerce_order (
    public_id, source, external_id, contact_id, missing, number, kind, state, source_state, currency, lines_minor,
    discount_minor, shipping_minor, tax_minor, fees_minor, total_minor, items, country, attributes, placed_at,
    changed_at, cancelled_at, digest, is_demo)
SELECT public_id, %(source)s, external_id, contact_id, missing, number, kind, state, state, currency, lines_minor,
       discount_minor, shipping_minor, tax_minor, fees_minor, total_minor, items, country, attributes, placed_at,
       changed_at, cancelled_at, decode(digest, 'hex'), %(is_demo)s
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS t (
       public_id uuid, external_id text, contact_id bigint, missing text, number text, kind text, state text,
       currency text, lines_minor bigint, discount_minor bigint, shipping_minor bigint, tax_minor bigint,
       fees_minor bigint, total_minor bigint, items int, country text, attributes jsonb, placed_at timestamptz,
       changed_at timestamptz, cancelled_at timestamptz, digest text)
    ON CONFLICT (source, external_id) DO UPDATE SET
       contact_id = excluded.contact_id, missing = excluded.missing, number = excluded.number, kind = excluded.kind,
       state = excluded.state, source_state = excluded.source_state, currency = excluded.currency,
       lines_minor = excluded.lines_minor, discount_minor = excluded.discount_minor,
       shipping_minor = excluded.shipping_minor, tax_minor = excluded.tax_minor, fees_minor = excluded.fees_minor,
       total_minor = excluded.total_minor, items = excluded.items, country = excluded.country,
       attributes = excluded.attributes, placed_at = excluded.placed_at, changed_at = excluded.changed_at,
       cancelled_at = excluded.cancelled_at, digest = excluded.digest, updated_at = now()
RETURNING id, external_id

-- name: untie_lines
-- Before the lines of changed orders are written anew: what pointed to them points nowhere, and is matched again.
UPDATE commerce_orderline c SET returns_id = NULL, match = ''
  FROM commerce_orderline l, commerce_order o
 WHERE l.order_id = ANY(%(ids)s::bigint[]) AND c.returns_id = l.id AND o.id = c.order_id
RETURNING c.order_id

-- name: returned_orders
-- Orders that the lines of these credit notes point to.
SELECT DISTINCT l.order_id
  FROM commerce_orderline c JOIN commerce_orderline l ON l.id = c.returns_id
 WHERE c.order_id = ANY(%(ids)s::bigint[])

-- name: drop_lines
DELETE FROM commerce_orderline WHERE order_id = ANY(%(ids)s::bigint[])

-- name: drop_refunds
DELETE FROM commerce_refund r
 WHERE r.order_id = ANY(%(ids)s::bigint[]) AND r.document_id IS NULL

-- name: write_refunds
INSERT INTO commerce_refund (order_id, external_id, amount_minor, at, reason)
SELECT * FROM unnest(%(orders)s::bigint[], %(externals)s::text[], %(amounts)s::bigint[], %(times)s::timestamptz[],
                     %(reasons)s::text[])
    ON CONFLICT (order_id, external_id) DO UPDATE
   SET amount_minor = excluded.amount_minor, at = excluded.at, reason = excluded.reason

-- name: credit_lines
-- Lines of credit notes of these contacts, oldest first, with what they point to now.
SELECT l.id, o.contact_id, o.source, l.sku, -l.quantity, o.placed_at, o.id, l.returns_id, l.match, r.order_id
  FROM commerce_order o JOIN commerce_orderline l ON l.order_id = o.id
  LEFT JOIN commerce_orderline r ON r.id = l.returns_id
 WHERE o.contact_id = ANY(%(contacts)s::bigint[]) AND o.kind = 'credit' AND l.kind = 'product' AND l.quantity < 0
 ORDER BY o.placed_at, l.quantity, o.external_id, l.place

-- name: returnable_lines
-- Lines of orders of these contacts with these articles, newest first.
SELECT l.id, o.contact_id, o.source, l.sku, l.quantity, o.placed_at, o.id
  FROM commerce_order o JOIN commerce_orderline l ON l.order_id = o.id
 WHERE o.contact_id = ANY(%(contacts)s::bigint[]) AND o.kind = 'order' AND o.source_state <> 'cancelled'
   AND l.kind = 'product' AND l.sku = ANY(%(skus)s::text[]) AND l.quantity > 0
 ORDER BY o.placed_at DESC, o.external_id DESC, l.place DESC

-- name: tie_lines
UPDATE commerce_orderline c SET returns_id = NULLIF(t.line, 0), match = t.match
  FROM unnest(%(credits)s::bigint[], %(lines)s::bigint[], %(matches)s::text[]) AS t (credit, line, match)
 WHERE c.id = t.credit

-- name: count_returned
UPDATE commerce_orderline l SET returned = n.returned
  FROM (SELECT x.id, coalesce(sum(-c.quantity), 0) AS returned
          FROM commerce_orderline x LEFT JOIN commerce_orderline c ON c.returns_id = x.id
         WHERE x.order_id = ANY(%(ids)s::bigint[])
         GROUP BY x.id) n
 WHERE l.id = n.id AND l.returned <> n.returned

-- name: forget_credit_refunds
DELETE FROM commerce_refund
 WHERE document_id = ANY(%(credits)s::bigint[]) OR (order_id = ANY(%(ids)s::bigint[]) AND document_id IS NOT NULL)

-- name: credit_refunds
INSERT INTO commerce_refund (order_id, external_id, amount_minor, at, document_id)
SELECT l.order_id, left('credit:' || o.external_id, 200), -sum(c.amount_minor), o.placed_at, o.id
  FROM commerce_orderline c
  JOIN commerce_order o ON o.id = c.order_id
  JOIN commerce_orderline l ON l.id = c.returns_id
 WHERE o.id = ANY(%(credits)s::bigint[]) OR l.order_id = ANY(%(ids)s::bigint[])
 GROUP BY l.order_id, o.id
    ON CONFLICT (order_id, external_id) DO UPDATE SET amount_minor = excluded.amount_minor, at = excluded.at

-- name: settle
-- What was given back, and the state that follows from it. A cancelled or unpaid order stays what its source says.
UPDATE commerce_order o
   SET refunded_minor = n.refunded,
       state = CASE WHEN o.source_state IN ('cancelled', 'pending') OR o.kind <> 'order' THEN o.source_state
                    WHEN n.refunded >= o.total_minor AND n.refunded > 0 THEN 'refunded'
                    WHEN n.refunded > 0 THEN 'partially_refunded'
                    ELSE o.source_state END
  FROM (SELECT x.id, coalesce(sum(r.amount_minor), 0) AS refunded
          FROM commerce_order x LEFT JOIN commerce_refund r ON r.order_id = x.id
         WHERE x.id = ANY(%(ids)s::bigint[])
         GROUP BY x.id) n
 WHERE o.id = n.id

-- name: facts
-- What these contacts bought, from their orders alone. Unpaid and cancelled orders count nothing; refunds take off;
-- a credit note counts by itself, so that the refunds it made on other orders do not count again.
WITH counted AS (
    SELECT o.contact_id, o.currency, o.placed_at, o.kind = 'order' AS bought,
           o.total_minor - CASE WHEN o.kind = 'order' THEN coalesce((
               SELECT sum(r.amount_minor) FROM commerce_refund r WHERE r.order_id = o.id AND r.document_id IS NULL
           ), 0) ELSE 0 END AS minor
      FROM commerce_order o
     WHERE o.contact_id = ANY(%(contacts)s::bigint[])
       AND (o.kind = 'credit' OR (o.kind = 'order' AND o.state NOT IN ('cancelled', 'pending')))
), sums AS (
    SELECT contact_id, currency, count(*) FILTER (WHERE bought) AS orders, sum(minor) AS minor,
           min(placed_at) FILTER (WHERE bought) AS first_at, max(placed_at) FILTER (WHERE bought) AS last_at
      FROM counted GROUP BY contact_id, currency
), rates AS (
    SELECT * FROM unnest(%(currencies)s::text[], %(factors)s::numeric[]) AS t (currency, factor)
), totals AS (
    SELECT s.contact_id, sum(s.orders)::int AS orders, coalesce(round(sum(s.minor * r.factor)), 0)::bigint AS total,
           jsonb_object_agg(s.currency, jsonb_build_object('orders', s.orders, 'minor', s.minor)) AS per_currency,
           coalesce(jsonb_agg(s.currency) FILTER (WHERE r.factor IS NULL), '[]') AS without_rate,
           coalesce(sum(s.orders) FILTER (WHERE r.factor IS NOT NULL), 0) AS rated,
           min(s.first_at) AS first_at, max(s.last_at) AS last_at
      FROM sums s LEFT JOIN rates r USING (currency)
     GROUP BY s.contact_id
), gone AS (
    DELETE FROM commerce_contactfacts f
     WHERE f.contact_id = ANY(%(contacts)s::bigint[])
       AND NOT EXISTS (SELECT 1 FROM totals t WHERE t.contact_id = f.contact_id)
)
INSERT INTO commerce_contactfacts AS f (contact_id, orders, currency, total_minor, average_minor, per_currency,
                                        without_rate, first_at, last_at)
SELECT contact_id, orders, %(currency)s, total, CASE WHEN rated > 0 THEN round(total::numeric / rated) ELSE 0 END,
       per_currency, without_rate, first_at, last_at
  FROM totals
    ON CONFLICT (contact_id) DO UPDATE SET
       orders = excluded.orders, currency = excluded.currency, total_minor = excluded.total_minor,
       average_minor = excluded.average_minor, per_currency = excluded.per_currency,
       without_rate = excluded.without_rate, first_at = excluded.first_at, last_at = excluded.last_at, updated_at = now()

-- name: learn_products
-- Articles known from order lines only. A catalogue's own values are never overwritten by them.
INSERT INTO commerce_product (public_id, source, external_id, sku, title, currency, price_minor, learned, is_demo)
SELECT public_id, %(source)s, external_id, sku, title, %(currency)s, price, true, %(is_demo)s
  FROM unnest(%(public_ids)s::uuid[], %(externals)s::text[], %(skus)s::text[], %(titles)s::text[],
              %(prices)s::bigint[]) AS t (public_id, external_id, sku, title, price)
    ON CONFLICT (source, external_id) DO UPDATE SET title = excluded.title, price_minor = excluded.price_minor,
       updated_at = now()
 WHERE commerce_product.learned AND commerce_product.title = '' AND excluded.title <> ''

-- name: products_of
SELECT external_id, id, title, category, brand FROM commerce_product
 WHERE source = %(source)s AND external_id = ANY(%(externals)s::text[])

-- name: record_changes
INSERT INTO commerce_orderchange (order_id, at, by, before, after)
SELECT * FROM unnest(%(orders)s::bigint[], %(times)s::timestamptz[], %(by)s::text[], %(before)s::jsonb[],
                     %(after)s::jsonb[])
