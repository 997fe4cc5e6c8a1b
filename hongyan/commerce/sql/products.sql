-- Statements of the catalogue.

-- name: write
-- Only what is new or different comes back; the same again and what is older leave the row alone.
WITH given AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS t (
        public_id uuid, external_id text, sku text, title text, url text, image_url text, category text, brand text,
        currency text, price_minor bigint, attributes jsonb, active boolean, changed_at timestamptz)
)
INSERT INTO commerce_product AS p (
    public_id, source, external_id, sku, title, url, image_url, category, brand, currency, price_minor, attributes,
    active, changed_at, is_demo)
SELECT public_id, %(source)s, external_id, sku, title, url, image_url, category, brand, currency, price_minor,
       attributes, active, changed_at, %(is_demo)s
  FROM given
    ON CONFLICT (source, external_id) DO UPDATE SET
       sku = excluded.sku, title = excluded.title, url = excluded.url, image_url = excluded.image_url,
       category = excluded.category, brand = excluded.brand, currency = excluded.currency,
       price_minor = excluded.price_minor, attributes = excluded.attributes, active = excluded.active,
       changed_at = excluded.changed_at, learned = false, updated_at = now()
 WHERE (excluded.changed_at IS NULL OR p.changed_at IS NULL OR excluded.changed_at >= p.changed_at)
   AND (p.learned OR (p.sku, p.title, p.url, p.image_url, p.category, p.brand, p.currency, p.price_minor, p.attributes,
        p.active) IS DISTINCT FROM (excluded.sku, excluded.title, excluded.url, excluded.image_url, excluded.category,
        excluded.brand, excluded.currency, excluded.price_minor, excluded.attributes, excluded.active))
RETURNING external_id, id, xmax = 0

-- name: kept
SELECT external_id, id, changed_at FROM commerce_product
 WHERE source = %(source)s AND external_id = ANY(%(externals)s::text[])

-- name: untie
UPDATE commerce_orderline SET product_id = NULL WHERE product_id = %(id)s

-- name: sold
SELECT l.product_id, o.currency,
       count(DISTINCT o.id) FILTER (WHERE o.kind = 'order') AS orders,
       coalesce(sum(l.quantity) FILTER (WHERE o.kind = 'order'), 0) AS quantity,
       coalesce(sum(l.amount_minor) FILTER (WHERE o.kind = 'order'), 0)::bigint AS amount,
       coalesce(sum(-l.quantity) FILTER (WHERE o.kind = 'credit'), 0) AS returned,
       coalesce(sum(-l.amount_minor) FILTER (WHERE o.kind = 'credit'), 0)::bigint AS returned_minor
  FROM commerce_orderline l JOIN commerce_order o ON o.id = l.order_id
 WHERE l.product_id = ANY(%(ids)s) AND o.kind IN ('order', 'credit')
   AND (o.kind = 'credit' OR o.state NOT IN ('cancelled', 'pending'))
 GROUP BY l.product_id, o.currency
 ORDER BY l.product_id, amount DESC

-- name: sources
-- A loose scan over the unique indexes: one step a source.
WITH RECURSIVE o AS (
    (SELECT source FROM commerce_order ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT source FROM commerce_order WHERE source > o.source ORDER BY source LIMIT 1) FROM o
     WHERE o.source IS NOT NULL
), p AS (
    (SELECT source FROM commerce_product ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT source FROM commerce_product WHERE source > p.source ORDER BY source LIMIT 1) FROM p
     WHERE p.source IS NOT NULL
)
SELECT source FROM o WHERE source IS NOT NULL UNION SELECT source FROM p WHERE source IS NOT NULL ORDER BY 1
