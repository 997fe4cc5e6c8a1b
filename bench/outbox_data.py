"""A throw-away installation with people who agreed to be mailed, for the benchmarks of delivery."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hongyan.core import embedded


@contextmanager
def installation(kept: Path | None = None) -> Iterator[Path]:
    """A real, durable embedded PostgreSQL with the product's schema; Django is set up on it. kept: its folder, made
    when it is not there and left where it is; else one that is gone afterwards."""
    with ExitStack() as stack:
        if kept is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hongyan-bench-")))
        else:
            folder = kept.resolve()
            folder.mkdir(parents=True, exist_ok=True)
        os.environ.update(
            HONGYAN_DATA_DIR=str(folder), HONGYAN_MIN_FREE_MB="0", DJANGO_SETTINGS_MODULE="hongyan.config.settings"
        )
        os.environ.pop("HONGYAN_DATABASE_URL", None)
        server = embedded.start(folder)
        try:
            import django

            django.setup()
            from django.core.management import call_command
            from django.db import connections

            call_command("migrate", verbosity=0)
            yield folder
            connections.close_all()
        finally:
            server.cleanup()


def people(count: int) -> int:
    """Contacts with sealed names and addresses, consent to one topic; returns the topic's id."""
    from django.db import connection

    from hongyan.contacts.models import ConsentState, Contact, Identifier, Topic
    from hongyan.contacts.sealing import seal
    from hongyan.contacts.types import Identity
    from hongyan.core import clock
    from hongyan.core.batching import batched
    from hongyan.core.crypto.keyring import keyring

    topic, _ = Topic.objects.get_or_create(
        key="promotion", defaults={"name_zh": "促销", "name_en": "Promotion", "legal_class": "commercial"}
    )
    now, blind = clock.now(), keyring().blind
    for numbers in batched(range(1, count + 1), 5000):
        contacts, identifiers, consents = [], [], []
        for number in numbers:
            email = f"person{number}@example.com"
            identity = Identity(email=email, full_name=f"王{number}", given_name="小明", family_name="王")
            sealed, version = seal(identity, contact_id=number)
            contact = Contact(
                id=number, sealed=sealed, seal_version=version, has_email=True, country="CN", city="上海", language="zh"
            )
            contacts.append(contact)
            identifiers.append(Identifier(contact_id=number, kind="email", blind=blind.index("email", email)))
            consents.append(
                ConsentState(contact_id=number, channel="email", topic_id=topic.pk, state="given", since=now)
            )
        Contact.objects.bulk_create(contacts)
        Identifier.objects.bulk_create(identifiers)
        ConsentState.objects.bulk_create(consents)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return topic.pk


def sender() -> int:
    from hongyan.accounts.types import system_actor
    from hongyan.delivery.senders import SenderValues, sender_create

    values = SenderValues(
        from_name="鸿雁商店",
        from_email="shop@news.example.com",
        company_name="鸿雁商贸有限公司",
        postal_address="上海市示例路 1 号",
    )
    return sender_create(actor=system_actor("bench"), values=values).pk
