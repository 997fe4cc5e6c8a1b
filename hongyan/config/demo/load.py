"""Loading and removing the demo. Loading twice does nothing; everything of it is marked and goes with one command."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hongyan.accounts.actors import actor_of
from hongyan.accounts.models import RoleGrant, User
from hongyan.accounts.permissions import Role
from hongyan.accounts.types import Actor, system_actor
from hongyan.analytics.fold import fold
from hongyan.audience.lists import list_add, list_create
from hongyan.audience.models import ContactList, SavedAudience, Tag, TagGroup
from hongyan.audience.saved import audience_create
from hongyan.audience.tagging.taxonomy import tag_create, tag_group_create
from hongyan.audience.types import GroupValues, TagValues
from hongyan.campaigns.models import Campaign
from hongyan.config.demo import cards, contacts, followed, mailings, standing
from hongyan.contacts.models import Contact
from hongyan.events.partitions import ensure_months

console = Console()
STAFF = (
    ("lin.yue@hongyan.example", "林悦", Role.MARKETER),
    ("chen.an@hongyan.example", "陈安", Role.APPROVER),
    ("zhao.min@hongyan.example", "赵敏", Role.SALES),
    ("sun.qi@hongyan.example", "孙琪", Role.SUPPORT),
    ("anna@hongyan.example", "Anna Weber", Role.ANALYST),
    ("he.qing@hongyan.example", "何清", Role.PRIVACY_OFFICER),
)
GROUPS = (  # with the group each is inside
    (GroupValues("value", "客户价值", "Customer value", exclusive=True), ""),
    (GroupValues("interest", "兴趣", "Interests"), ""),
    (GroupValues("occasion", "场合", "Occasions"), "interest"),
)
TAGS = {
    "value": (
        TagValues("vip", "贵宾", "VIP", "amber"),
        TagValues("loyal", "常客", "Loyal", "teal"),
        TagValues("new", "新客", "New", "blue"),
        TagValues("asleep", "沉睡", "Asleep", "grey"),
    ),
    "interest": (
        TagValues("home", "家居", "Home", "green"),
        TagValues("kitchen", "厨房", "Kitchen", "orange"),
        TagValues("stationery", "文具", "Stationery", "violet"),
    ),
    "occasion": (TagValues("christmas", "圣诞", "Christmas", "red"),),
}
AUDIENCES = (
    (
        "上海的常客",
        "住在上海、最近常来的客人",
        {"all": [{"field": "city", "op": "=", "value": "上海"}, {"tag": "loyal"}]},
    ),
    ("贵宾与常客", "", {"any": [{"tag": "vip"}, {"tag": "loyal"}]}),
    ("本月生日", "生日在 11 月", {"field": "birth_month", "op": "=", "value": 11}),
    ("Readers outside China", "", {"not": {"field": "country", "op": "=", "value": "CN"}}),
)


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    run: Callable[[], object]


def demo_is_loaded() -> bool:
    return Contact.objects.filter(is_demo=True).exists()


def demo_load(*, contacts: int) -> None:
    """Everything in order; a step that fails leaves what came before, and the next start begins with an empty demo."""
    if demo_is_loaded():
        console.print("The demo is loaded already; remove it first: hongyan demo --remove")
        return
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        _load(contacts, progress)


def _load(count: int, progress: Progress) -> None:
    now = contacts.today()
    boss = system_actor("demo")
    ensure_months(first=now.date().replace(year=now.year - 1), last=now.date())
    staff = staff_make()
    contacts.fields_create()
    taxonomy_make(boss)
    people_task = progress.add_task("People", total=count)
    loaded = contacts.contacts_create(
        count=count, now=now, report=lambda done: progress.update(people_task, advance=done)
    )
    task = progress.add_task("Orders", total=len(loaded.buyers))
    contacts.orders_create(loaded, actor=boss, report=lambda done: progress.update(task, completed=done))
    contacts.last_activity_set(loaded)
    cards.cards_make(loaded, actor=boss, now=now)
    contacts.tags_attach(loaded, actor=boss, now=now)
    lists_make(boss, loaded.contact_ids)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    task = progress.add_task("Campaigns", total=len(mailings.PAST) + 1)
    cast = mailings.Cast(marketer=staff[Role.MARKETER], approver=staff[Role.APPROVER])
    sender = mailings.sender_make(actor=boss)
    templates = mailings.templates_make(actor=boss)
    for mailing in mailings.PAST:
        mailings.past_make(mailing, cast=cast, sender=sender, templates=templates)
        progress.advance(task)
    mailings.waiting_make(cast=cast, sender=sender, templates=templates)
    progress.advance(task)
    contacts.contacts_create(
        count=count, now=now, since=loaded, report=lambda done: progress.update(people_task, advance=done)
    )
    task = progress.add_task("Visits", total=None)
    standing.visits_make(loaded, now=now, report=lambda done: progress.update(task, completed=done))
    fold(batches=10_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    task = progress.add_task("Stages, RFM and rule tags", total=standing.steps())
    standing.standing_make(actor=boss, now=now, report=lambda done: progress.update(task, completed=done))
    task = progress.add_task("An audience with a past", total=followed.DAYS)
    followed.followed_make(actor=boss, now=now, report=lambda done: progress.update(task, completed=done))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def staff_make() -> dict[Role, Actor]:
    """One colleague a role, without passwords: sign in by ``hongyan user link``."""
    found: dict[Role, Actor] = {}
    for email, name, role in STAFF:
        user = User.objects.filter(email=email).first() or User.objects.create_user(email, name=name)
        RoleGrant.objects.get_or_create(user=user, role=role)
        found[role] = actor_of(user)
    return found


def taxonomy_make(actor: Actor) -> None:
    for values, inside in GROUPS:
        parent = TagGroup.objects.filter(key=inside).first()
        group = TagGroup.objects.filter(key=values.key).first() or tag_group_create(
            actor=actor, values=values, parent=parent
        )
        for tag in TAGS[values.key]:
            if not Tag.objects.filter(key=tag.key).exists():
                tag_create(actor=actor, group=group, values=tag)


def lists_make(actor: Actor, contact_ids: list[int]) -> None:
    if not ContactList.objects.filter(name="秋季展会访客").exists():
        made = list_create(actor=actor, name="秋季展会访客", description="2026 年秋季家居展留下名片的人")
        list_add(actor=actor, contact_list=made, contact_ids=contact_ids[3::37][:400], source="demo")
    for name, description, tree in AUDIENCES:
        if not SavedAudience.objects.filter(name=name).exists():
            audience_create(actor=actor, name=name, tree=tree, description=description)


def demo_remove() -> int:
    """People, their facts and the campaigns marked as demo; what others made stays. Returns how many people went."""
    with transaction.atomic(), connection.cursor() as cursor:
        campaign_ids = list(Campaign.objects.filter(is_demo=True).values_list("pk", flat=True))
        cursor.execute(
            "DELETE FROM delivery_message WHERE origin_kind = 'campaign' AND origin_id = ANY(%s)", [campaign_ids]
        )
        for table in ("analytics_messagemark", "analytics_figure", "analytics_slot"):
            cursor.execute(
                f"DELETE FROM {table} WHERE origin_kind = 'campaign' AND origin_id = ANY(%s)", [campaign_ids]
            )
        for table in ("orderline", "refund", "orderchange"):
            cursor.execute(
                f"DELETE FROM commerce_{table} t USING commerce_order o WHERE t.order_id = o.id AND o.is_demo"
            )
        cursor.execute("DELETE FROM commerce_order WHERE is_demo")
        cursor.execute("DELETE FROM commerce_product WHERE is_demo")
        cursor.execute("DELETE FROM events_event e USING contacts_contact c WHERE e.contact_id = c.id AND c.is_demo")
        cursor.execute("SET LOCAL hongyan.erasing = 'on'")
        Campaign.objects.filter(pk__in=campaign_ids).delete()
        people = Contact.objects.filter(is_demo=True).count()
        Contact.objects.filter(is_demo=True).delete()
        SavedAudience.objects.filter(name__in=[followed.NAME, *(name for name, _, _ in AUDIENCES)]).delete()
        ContactList.objects.filter(name="秋季展会访客").delete()
    return people
