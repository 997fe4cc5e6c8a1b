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

-- name: is_past
-- How many messages, and whether any of them waits, is doubtful, or was written within the time that is kept: an origin
-- that began long ago may still send, and must go on knowing whom it has mailed.
SELECT count(*),
       coalesce(bool_or(wake_at IS NOT NULL OR state IN (0, 1, 2, 4, 7)
                        OR greatest(created_at, coalesce(finished_at, created_at)) >= %(keep_from)s::date), false)
FROM {name}
