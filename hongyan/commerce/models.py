"""Tables of this room. Nothing here identifies a person but the number of the contact; secrets of shops and what shops
send lie sealed."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Now, Upper

from hongyan.commerce.types import LineKind, Missing, OrderKind, OrderState
from hongyan.contacts.models import Contact
from hongyan.core.ids import uuid7
from hongyan.jobs.models import Job


class Product(models.Model):
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    source = models.CharField(max_length=64)
    external_id = models.CharField(max_length=200)
    sku = models.CharField(max_length=120, db_default="", default="")
    title = models.CharField(max_length=400, db_default="", default="")
    url = models.TextField(db_default="", default="")
    image_url = models.TextField(db_default="", default="")
    category = models.CharField(max_length=200, db_default="", default="")
    brand = models.CharField(max_length=200, db_default="", default="")
    currency = models.CharField(max_length=3, db_default="", default="")
    price_minor = models.BigIntegerField(null=True)
    attributes = models.JSONField(default=dict, db_default={})
    active = models.BooleanField(default=True, db_default=True)
    learned = models.BooleanField(default=False, db_default=False)  # known from order lines only, not from a catalogue
    changed_at = models.DateTimeField(null=True)  # the source's own time of change
    is_demo = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="product_once")]
        indexes = [
            models.Index(fields=["sku"], name="product_by_sku"),
            models.Index(fields=["updated_at", "id"], name="product_by_updated"),
        ]


class Order(models.Model):
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    source = models.CharField(max_length=64)
    external_id = models.CharField(max_length=200)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="+")
    missing = models.CharField(max_length=16, default="", db_default="", choices=[(m.value, m.value) for m in Missing])
    number = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, default=OrderKind.ORDER, choices=[(k.value, k.value) for k in OrderKind])
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in OrderState])
    source_state = models.CharField(max_length=20)  # what the source said, before refunds were counted
    currency = models.CharField(max_length=3)
    # Minor units; total = lines - discount + shipping + tax + fees unless the source says otherwise.
    lines_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0)
    shipping_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    fees_minor = models.BigIntegerField(default=0)  # charges and corrections among the lines
    total_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0, db_default=0)
    items = models.IntegerField(default=0)  # lines
    country = models.CharField(max_length=64, default="", db_default="")
    attributes = models.JSONField(default=dict, db_default={})
    placed_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)  # the source's own time of change
    cancelled_at = models.DateTimeField(null=True)
    digest = models.BinaryField(max_length=16)  # of all the source said; the same again changes nothing
    is_demo = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="order_once")]
        indexes = [
            models.Index(fields=["contact", "placed_at"], name="order_of_contact"),
            models.Index(fields=["placed_at", "id"], name="order_by_date"),
            models.Index(fields=["state", "placed_at"], name="order_by_state"),
            models.Index(OpClass(Upper("number"), "text_pattern_ops"), name="order_by_number"),
        ]


class OrderLine(models.Model):
    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    place = models.IntegerField()
    kind = models.CharField(max_length=12, choices=[(k.value, k.value) for k in LineKind])
    # No constraint: lines come by the hundred thousand and products are never deleted, only made inactive.
    product = models.ForeignKey(Product, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    sku = models.CharField(max_length=120)
    title = models.CharField(max_length=400)
    variant = models.CharField(max_length=200, default="", db_default="")
    external_id = models.CharField(max_length=120, default="", db_default="")
    quantity = models.DecimalField(max_digits=18, decimal_places=4)
    unit_price = models.DecimalField(max_digits=24, decimal_places=6)  # exact, major units: may be finer than a cent
    amount_minor = models.BigIntegerField()
    # Of a credit note's line: the line it takes back, and how that was found (exact: same quantity; part: fewer).
    returns = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False)
    match = models.CharField(max_length=8, default="", db_default="")
    returned = models.DecimalField(max_digits=18, decimal_places=4, default=0, db_default=0)  # of this line, so far


class Refund(models.Model):
    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="refunds")
    external_id = models.CharField(max_length=200)
    amount_minor = models.BigIntegerField()
    at = models.DateTimeField()
    reason = models.CharField(max_length=300, default="", db_default="")
    document = models.ForeignKey(Order, null=True, on_delete=models.CASCADE, related_name="+")  # the credit note

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "external_id"], name="refund_once")]


class OrderChange(models.Model):
    """What changed in an order and when: names and amounts, nothing about people."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField(db_default=Now())
    by = models.CharField(max_length=64)  # the way it came in
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)


class ContactFacts(models.Model):
    """Worked out anew from the orders of a contact whenever one of them changes, in the same transaction."""

    contact = models.OneToOneField(Contact, primary_key=True, on_delete=models.CASCADE, related_name="+")
    orders = models.IntegerField()
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    average_minor = models.BigIntegerField()
    per_currency = models.JSONField()
    without_rate = models.JSONField(default=list)
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["-total_minor"], name="facts_by_total")]


class CommerceSettings(models.Model):
    """One row. rates: how many units of the organisation's currency one unit of another is worth, as decimal text."""

    currency = models.CharField(max_length=3, default="CNY")
    rates = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)


class Shop(models.Model):
    """A connected shop. credentials: JSON, sealed with the row's id."""

    class Kind(models.TextChoices):
        SHOPIFY = "shopify"
        WOOCOMMERCE = "woocommerce"

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    key = models.CharField(max_length=64, unique=True)  # the ``source`` of its orders and products
    name = models.CharField(max_length=120)
    address = models.CharField(max_length=255)  # https://shop.example
    credentials = models.BinaryField(default=bytes)
    connected = models.BooleanField(default=True)
    disconnected_why = models.CharField(max_length=40, default="", db_default="")
    tested_at = models.DateTimeField(null=True)
    test_problem = models.CharField(max_length=40, default="", db_default="")
    received_at = models.DateTimeField(null=True)  # last webhook whose signature was right
    refused_at = models.DateTimeField(null=True)  # last webhook whose signature was wrong
    refused = models.IntegerField(default=0, db_default=0)
    backfill = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    backfill_state = models.JSONField(default=dict, db_default={})  # {what: cursor, done, finished}
    created_at = models.DateTimeField(db_default=Now())


class ShopMessage(models.Model):
    """What a shop sent, sealed until it is digested; kept a week for looking into faults."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        SET_ASIDE = "set_aside"  # could not be digested: in quarantine

    id = models.BigAutoField(primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="messages", db_index=False)
    topic = models.CharField(max_length=64)
    delivery = models.CharField(max_length=120)  # the shop's own id of this message: the same again is dropped
    body = models.BinaryField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.SmallIntegerField(default=0)
    problem = models.CharField(max_length=64, default="", db_default="")
    received_at = models.DateTimeField(db_default=Now())
    digested_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "delivery"], name="shop_message_once")]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(state="waiting"), name="shop_message_waiting"),
            models.Index(fields=["shop", "-id"], name="shop_message_newest"),
        ]


class PrivacyTask(models.Model):
    """What a shop's platform asks of us about a person (Shopify's mandatory webhooks). Due in 30 days; a person decides
    and says that it is done. details: what the shop sent about whom, sealed, gone when the task is closed."""

    class What(models.TextChoices):
        DATA_REQUEST = "customers/data_request"
        REDACT_CUSTOMER = "customers/redact"
        REDACT_SHOP = "shop/redact"

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="+")
    what = models.CharField(max_length=24, choices=What)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="+")
    details = models.BinaryField(null=True)
    received_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=200, default="", db_default="")
    note = models.CharField(max_length=500, default="", db_default="")
