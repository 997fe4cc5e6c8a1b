-- name: advance
-- The attempt fences off a worker that was thought dead: no row comes back, and it must stop.
UPDATE jobs_job
   SET done = %(done)s,
       total = coalesce(%(total)s, total),
       note = CASE WHEN %(note)s = '' THEN note ELSE %(note)s END,
       rate = coalesce(%(rate)s, rate),
       advanced_at = now()
 WHERE id = %(id)s AND attempt = %(attempt)s AND state = 'running'
RETURNING cancel_requested, pause_requested

-- name: claim
-- Taken by changing the row: a second delivery of the same job finds no queued row and does nothing.
UPDATE jobs_job
   SET state = 'running', attempt = attempt + 1, started_at = coalesce(started_at, now()), advanced_at = now(),
       finished_at = NULL, error_code = '', error_message = ''
 WHERE id = %(id)s AND state = 'queued'
RETURNING kind, params, attempt, done

-- name: stalled
-- Queue entries whose worker is gone or silent, and the job they carry (NULL for periodic work). Where the same periodic
-- work waits already, the dead entry must not go back into the queue: only one of a kind may wait there.
SELECT q.id AS entry_id, q.attempts, (q.args ->> 'job_id')::bigint AS job_id,
       EXISTS (SELECT 1 FROM procrastinate_jobs o
                WHERE o.queueing_lock = q.queueing_lock AND o.status = 'todo') AS waits
  FROM procrastinate_jobs q
  LEFT JOIN procrastinate_workers w ON w.id = q.worker_id
 WHERE q.status = 'doing'
   AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %(silent_s)s))
 ORDER BY q.id
   FOR UPDATE OF q SKIP LOCKED

-- name: entry_again
SELECT procrastinate_retry_job_v2(%(entry_id)s, now(), NULL, NULL, NULL)

-- name: entry_end
SELECT procrastinate_finish_job_v1(%(entry_id)s, 'failed', false)

-- name: orphans
-- Jobs that wait or run without any queue entry that could move them (a queue restored from an older backup).
SELECT j.id FROM jobs_job j
 WHERE j.state IN ('queued', 'running') AND j.created_at < now() - interval '1 minute'
   AND coalesce(j.advanced_at, j.created_at) < now() - interval '1 minute'
   AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs q
                    WHERE q.task_name = 'hongyan.job' AND q.status IN ('todo', 'doing')
                      AND (q.args ->> 'job_id')::bigint = j.id)
 ORDER BY j.id
   FOR UPDATE OF j SKIP LOCKED

-- name: queue_depths
SELECT queue_name, status::text, count(*) AS entries, min(scheduled_at) AS oldest
  FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed')
 GROUP BY 1, 2 ORDER BY 1, 2

-- name: beat
INSERT INTO jobs_worker (name, version, started_at, beat_at, lanes)
VALUES (%(name)s, %(version)s, now(), now(), %(lanes)s)
ON CONFLICT (name) DO UPDATE SET beat_at = now(), lanes = EXCLUDED.lanes, version = EXCLUDED.version
