"""Figures for Prometheus, read from the database when asked: every web process gives the same answer."""

import shutil

from django.conf import settings
from django.db import connection
from prometheus_client import Gauge

from hongyan.accounts.types import system_actor
from hongyan.delivery.selectors import queue_levels
from hongyan.jobs.selectors import queue_depths, workers_alive

WORKERS = Gauge("hongyan_workers_alive", "Worker processes that beat within 30 s")
QUEUE = Gauge("hongyan_queue_entries", "Entries of the job queue", ["queue", "state"])
JOBS = Gauge("hongyan_jobs", "Jobs by state", ["state"])
DISK_FREE = Gauge("hongyan_disk_free_bytes", "Free bytes where the data folder lies")
DATABASE_SIZE = Gauge("hongyan_database_bytes", "Size of the database")
AUDIT_UNSEALED = Gauge("hongyan_audit_unsealed_entries", "Audit entries waiting for their place in the chain")
OUTBOX = Gauge("hongyan_outbox_waiting_messages", "Messages that wait for their time or a worker", ["priority"])


def refresh() -> None:
    WORKERS.set(workers_alive())
    DISK_FREE.set(shutil.disk_usage(settings.HONGYAN_DATA_DIR).free)
    QUEUE.clear()
    for row in queue_depths():
        QUEUE.labels(row["queue"], row["state"]).set(row["entries"])
    OUTBOX.clear()
    for level in queue_levels(actor=system_actor("metrics")):
        OUTBOX.labels(str(level.priority)).set(level.waiting)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        DATABASE_SIZE.set(cursor.fetchone()[0])
        cursor.execute("SELECT count(*) FROM audit_auditentry WHERE seq IS NULL")
        AUDIT_UNSEALED.set(cursor.fetchone()[0])
        cursor.execute("SELECT state, count(*) FROM jobs_job WHERE finished_at IS NULL GROUP BY state")
        JOBS.clear()
        for state, count in cursor.fetchall():
            JOBS.labels(state).set(count)
