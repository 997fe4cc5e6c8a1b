import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from hongyan.jobs.models import Worker

pytestmark = pytest.mark.django_db


def worker() -> None:
    Worker.objects.create(name="here:1", version="1", started_at=timezone.now(), beat_at=timezone.now())


def test_health_names_what_does_not_live(client: Client, settings: Settings) -> None:
    settings.HONGYAN_MIN_FREE_MB = 1
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["ok"]) == (503, False)
    assert answer.json()["worker"] == {"ok": False, "alive": 0}
    assert answer.json()["database"] == {"ok": True}
    worker()
    assert client.get("/health/").status_code == 200
    settings.HONGYAN_MIN_FREE_MB = 2**30
    full = client.get("/health/")
    assert (full.status_code, full.json()["disk"]["ok"]) == (503, False)


def test_metrics_for_this_machine_or_with_the_token(client: Client, settings: Settings) -> None:
    worker()
    page = client.get("/metrics")
    assert page.status_code == 200
    assert "hongyan_workers_alive 1.0" in page.content.decode()
    assert "hongyan_database_bytes" in page.content.decode()
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
    settings.HONGYAN_METRICS_TOKEN = "scrape-me"
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403
    for token, status in (("wrong", 403), ("scrape-me", 200)):
        answer = client.get("/metrics", REMOTE_ADDR="203.0.113.9", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status
