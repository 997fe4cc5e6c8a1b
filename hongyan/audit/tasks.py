from django.db import close_old_connections
from procrastinate.contrib.django import app

from hongyan.audit.services import seal


@app.periodic(cron="* * * * *", periodic_id="audit.seal")
@app.task(name="audit.seal", queue="periodic", lock="audit.seal", queueing_lock="audit.seal")
def audit_seal(timestamp: int) -> None:
    """Procrastinate directly: this room and ``jobs`` stand side by side and do not know each other."""
    del timestamp
    close_old_connections()
    seal()
