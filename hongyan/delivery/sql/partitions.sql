-- name: make_partition
-- Room is left in each page (fillfactor) so that the updates of a message's life, which touch no indexed column but one,
-- stay on its page (HOT). Vacuum comes early: a send leaves three dead versions of every row behind.
CREATE TABLE {name} (LIKE delivery_message INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE {name} ADD CONSTRAINT {name}_month CHECK (month >= '{first}' AND month < '{after}');
ALTER TABLE delivery_message ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{after}');
ALTER TABLE {name} DROP CONSTRAINT {name}_month;

-- name: list_partitions
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'delivery_message'::regclass ORDER BY 1
