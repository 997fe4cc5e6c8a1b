-- name: kept
-- The figures of a file, counted from what was kept of it.
WITH mine AS (
    SELECT o.id, o.kind, o.contact_id, o.external_id
      FROM unnest(%(externals)s::text[]) AS t (external_id)
      JOIN commerce_order o ON o.source = %(source)s AND o.external_id = t.external_id
), items AS (
    SELECT m.id, m.kind, m.contact_id, m.external_id, l.sku, l.title, l.quantity, l.unit_price, l.amount_minor,
           l.returns_id,
           l.quantity * l.unit_price AS worth,
           m.contact_id IS NOT NULL AND l.quantity > 0 AND l.unit_price > 0 AS clean,
           row_number() OVER (PARTITION BY m.id, l.sku, l.title, l.quantity, l.unit_price, l.variant) > 1 AS again
      FROM mine m JOIN commerce_orderline l ON l.order_id = m.id
)
SELECT count(*) AS lines,
       (SELECT count(*) FROM mine) AS orders,
       (SELECT count(*) FROM mine WHERE kind = 'credit') AS credits,
       count(*) FILTER (WHERE kind = 'credit') AS credit_lines,
       count(DISTINCT sku) AS articles,
       (SELECT count(DISTINCT contact_id) FROM mine) AS customers,
       count(*) FILTER (WHERE contact_id IS NULL) AS no_customer,
       count(*) FILTER (WHERE title = '') AS no_title,
       count(*) FILTER (WHERE again) AS duplicates,
       coalesce(sum(worth), 0) AS amount,
       count(*) FILTER (WHERE clean) AS clean_lines,
       count(DISTINCT contact_id) FILTER (WHERE clean) AS clean_customers,
       count(DISTINCT id) FILTER (WHERE clean) AS clean_orders,
       coalesce(sum(worth) FILTER (WHERE clean), 0) AS clean_amount,
       coalesce(sum(amount_minor), 0)::bigint AS booked_minor,
       (SELECT count(*) FROM mine WHERE kind = 'adjustment') AS adjustments,
       count(*) FILTER (WHERE kind = 'credit' AND returns_id IS NOT NULL) AS credit_lines_tied
  FROM items
