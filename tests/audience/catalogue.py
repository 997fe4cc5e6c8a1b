"""A small invented catalogue, so that compiling needs no database."""

from zoneinfo import ZoneInfo

from hongyan.audience.compiler.catalogue import (
    AudienceSpec,
    Catalogue,
    Choice,
    EventSpec,
    FieldSpec,
    FieldType,
    Label,
    ListSpec,
    ObjectSpec,
    TagGroupSpec,
    TagSpec,
)

LIST_ID = "0190a000-0000-7000-8000-000000000001"
AUDIENCE_ID = "0190a000-0000-7000-8000-0000000000a1"

FIELDS = (
    FieldSpec("city", FieldType.TEXT, Label("City", "城市"), column="city"),
    FieldSpec("birth_month", FieldType.NUMBER, Label("Birth month", "出生月份"), column="birth_month"),
    FieldSpec("has_email", FieldType.BOOLEAN, Label("Has an e-mail address", "有邮箱"), column="has_email"),
    FieldSpec("created_at", FieldType.TIME, Label("Added", "加入时间"), column="created_at"),
    FieldSpec("last_activity_at", FieldType.TIME, Label("Last activity", "最近活动"), column="last_activity_at"),
    FieldSpec(
        "sex",
        FieldType.CHOICE,
        Label("Sex", "性别"),
        column="sex",
        choices=(Choice(1, Label("male", "男")), Choice(2, Label("female", "女"))),
    ),
    FieldSpec("full_name", FieldType.SEALED, Label("Name", "姓名"), attribute="full_name"),
    FieldSpec(
        "orders.count", FieldType.NUMBER, Label("Orders", "订单数"), column="orders", table="commerce_contactfacts"
    ),
    FieldSpec(
        "orders.total",
        FieldType.NUMBER,
        Label("Total of orders", "累计消费"),
        column="total_minor",
        table="commerce_contactfacts",
        digits=2,
    ),
    FieldSpec(
        "orders.last_at",
        FieldType.TIME,
        Label("Last order", "最近下单"),
        column="last_at",
        table="commerce_contactfacts",
    ),
    FieldSpec(
        "company.name",
        FieldType.TEXT,
        Label("Company", "公司"),
        column="name",
        table="contacts_company",
        theirs="id",
        ours="company_id",
    ),
    FieldSpec("custom.note", FieldType.TEXT, Label("Note", "备注"), attribute="note"),
    FieldSpec("custom.points", FieldType.NUMBER, Label("Points", "积分"), attribute="points"),
    FieldSpec("custom.member", FieldType.BOOLEAN, Label("Member", "会员"), attribute="member"),
    FieldSpec("custom.renewal", FieldType.DATE, Label("Renewal", "续费日"), attribute="renewal"),
    FieldSpec("custom.seen", FieldType.TIME, Label("Seen", "见过"), attribute="seen"),
    FieldSpec(
        "custom.level",
        FieldType.CHOICE,
        Label("Level", "等级"),
        attribute="level",
        choices=(Choice("gold", Label("Gold", "金卡")), Choice("silver", Label("Silver", "银卡"))),
    ),
    FieldSpec(
        "custom.likes",
        FieldType.CHOICES,
        Label("Likes", "喜好"),
        attribute="likes",
        choices=(Choice("tea", Label("Tea", "茶")), Choice("wine", Label("Wine", "酒"))),
    ),
)

_OF_PETS = (
    FieldSpec("note", FieldType.TEXT, Label("Note", "备注"), attribute="note"),
    FieldSpec("points", FieldType.NUMBER, Label("Age", "年龄"), attribute="points"),
    FieldSpec("member", FieldType.BOOLEAN, Label("Tame", "驯服"), attribute="member"),
    FieldSpec("renewal", FieldType.DATE, Label("Born", "生日"), attribute="renewal"),
    FieldSpec("seen", FieldType.TIME, Label("Seen", "见过"), attribute="seen"),
    FieldSpec(
        "level",
        FieldType.CHOICE,
        Label("Kind", "种类"),
        attribute="level",
        choices=(Choice("gold", Label("Goldfish", "金鱼")), Choice("silver", Label("Silverfish", "银鱼"))),
    ),
    FieldSpec("price", FieldType.NUMBER, Label("Price", "价格"), attribute="price", digits=2, currency="CNY"),
    FieldSpec("chip", FieldType.SEALED, Label("Chip", "芯片"), attribute="chip"),
)
PET = ObjectSpec(1, "pet", Label("pet", "宠物"), {spec.key: spec for spec in _OF_PETS})


def small_catalogue(**changes: object) -> Catalogue:
    values: dict[str, object] = {
        "fields": {spec.key: spec for spec in FIELDS},
        "tags": {
            "vip": TagSpec(1, "vip", Label("VIP", "贵宾")),
            "new": TagSpec(2, "new", Label("New", "新客")),
        },
        "tag_groups": {"value": TagGroupSpec("value", Label("Value", "价值"), (1, 2))},
        "lists": {LIST_ID: ListSpec(1, LIST_ID, "Fair 2026")},
        "audiences": {AUDIENCE_ID: AudienceSpec(AUDIENCE_ID, "Shanghai VIP", {"all": [{"tag": "vip"}]})},
        "events": {
            "email_opened": EventSpec("email_opened", Label("opened a mail", "打开邮件")),
            "order_completed": EventSpec("order_completed", Label("placed an order", "下单")),
        },
        "objects": {"pet": PET},
        "channels": {"email": Label("e-mail", "邮件")},
        "topics": {"promotion": Label("Promotion", "促销")},
        "topic_ids": {"promotion": 1},
        "consent_states": {"given": Label("given", "已同意"), "none": Label("none", "未表态")},
        "zone": ZoneInfo("Asia/Shanghai"),
    }
    return Catalogue(**{**values, **changes})  # type: ignore[arg-type]
