from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hongyan.content.types import MailDraft, MailType, SourceKind, TemplateContent

LANGUAGES = ("zh-hans", "en")
CONFIRMATION = "confirm-subscription"


@dataclass(frozen=True, slots=True)
class ReadyTemplate:
    """name and about are in the reader's language; the mail itself in ``language``."""

    key: str
    language: str
    mail_type: MailType
    name: str | Promise
    about: str | Promise
    subject: str
    preheader: str
    source: str

    @property
    def content(self) -> TemplateContent:
        return TemplateContent(subject=self.subject, preheader=self.preheader, source=self.source)

    def draft(self) -> MailDraft:
        return MailDraft(
            subject=self.subject,
            preheader=self.preheader,
            kind=SourceKind.MJML,
            source=self.source,
            language=self.language,
            mail_type=self.mail_type,
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    mail_type: MailType
    name: Promise
    about: Promise
    lines: dict[str, tuple[str, str]]  # language → subject, preheader


_SHELF = (
    _Entry(
        "newsletter",
        MailType.NEWSLETTER,
        _("Newsletter"),
        _("A letter with three stories and a closing word."),
        {
            "zh-hans": ("本周来信：旧木头、窗台和一盏灯", "三篇文章，一杯茶的时间。"),
            "en": ("This week: old wood, a windowsill and a lamp", "Three stories, one cup of tea."),
        },
    ),
    _Entry(
        "promotion",
        MailType.PROMOTION,
        _("Promotion with a code"),
        _("An offer with a code, two products and its terms."),
        {
            "zh-hans": (
                '{{ contact.full_name or "老朋友" }}，秋季新品 8 折，三天为限',
                "优惠码在信里，可与积分同用。",
            ),
            "en": (
                '{{ contact.given_name or "Hello" }}, 20% off the new season for three days',
                "Your code is inside; points count on top.",
            ),
        },
    ),
    _Entry(
        "welcome",
        MailType.CARE,
        _("Welcome"),
        _("The first mail after somebody joins: three small steps."),
        {
            "zh-hans": ("欢迎，很高兴认识您", "用两分钟，把这里布置成您喜欢的样子。"),
            "en": ("Welcome, good to have you here", "Two minutes to make it yours."),
        },
    ),
    _Entry(
        "product-update",
        MailType.PRODUCT_UPDATE,
        _("Product update"),
        _("What is new, in three points."),
        {
            "zh-hans": ("更快，也更安静：这个月的三处改进", "搜索、免打扰、离线，打开就能用。"),
            "en": ("Faster and quieter: three improvements", "Search, quiet hours, offline: ready when you are."),
        },
    ),
    _Entry(
        "birthday",
        MailType.GREETING,
        _("Birthday greeting"),
        _("A wish and a small present."),
        {
            "zh-hans": ('{{ contact.full_name or "亲爱的朋友" }}，生日快乐', "给您备了一份小礼物。"),
            "en": ('Happy birthday, {{ contact.given_name or "friend" }}', "There is a small present inside."),
        },
    ),
    _Entry(
        "care",
        MailType.CARE,
        _("Customer care"),
        _("A personal question some time after a purchase; answers come back as mail."),
        {
            "zh-hans": ("用得还顺手吗？", "有问题直接回信，会有真人读它。"),
            "en": ("How is it working out?", "Just answer: a person reads it."),
        },
    ),
    _Entry(
        "service-reminder",
        MailType.SERVICE_REMINDER,
        _("Service reminder"),
        _("Something ends soon, and how to renew it."),
        {
            "zh-hans": ("您的服务将在 30 天后到期", "到期前续期，价格不变，使用不中断。"),
            "en": ("Your service ends in 30 days", "Renew in time: same price, no interruption."),
        },
    ),
    _Entry(
        CONFIRMATION,
        MailType.TRANSACTIONAL,
        _("Opt-in confirmation"),
        _("Sent by sign-up forms: one button, nothing else."),
        {
            "zh-hans": ("请确认您的订阅", "点一下按钮就好；不是您本人，请忽略。"),
            "en": ("Please confirm your subscription", "One press of a button; ignore it if it was not you."),
        },
    ),
)


@cache
def ready_templates() -> tuple[ReadyTemplate, ...]:
    return tuple(_load(entry, language) for entry in _SHELF for language in LANGUAGES)


def ready_template(key: str, language: str) -> ReadyTemplate:
    """In the language when there is one, in English otherwise. Raises KeyError for an unknown key."""
    wanted = language if language in LANGUAGES else "en"
    for template in ready_templates():
        if template.key == key and template.language == wanted:
            return template
    raise KeyError(key)


def _load(entry: _Entry, language: str) -> ReadyTemplate:
    subject, preheader = entry.lines[language]
    source = files("hongyan.content.ready").joinpath("mails", f"{entry.key}.{language}.mjml").read_text("utf-8")
    return ReadyTemplate(entry.key, language, entry.mail_type, entry.name, entry.about, subject, preheader, source)
