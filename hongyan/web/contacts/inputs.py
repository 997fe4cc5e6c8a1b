"""Forms of the pages that define fields, topics and sign-up forms. Rules live in the services; what those refuse is put
back beside its input."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from hongyan.contacts.errors import DefinitionRefused
from hongyan.contacts.fields import definitions
from hongyan.contacts.models import FieldDefinition, SignupForm, Topic
from hongyan.contacts.signup_forms import ASKABLE, LANGUAGES, TEXT_LIMITS, TEXTS, FormValues, text_field
from hongyan.contacts.topics import topic_about, topic_name, topics
from hongyan.contacts.values import CUSTOM

FIELD_TYPES: dict[str, Promise] = {
    "text": pgettext_lazy("type", "Text"),
    "number": pgettext_lazy("type", "Number"),
    "boolean": _("Yes or no"),
    "date": _("Date"),
    "datetime": _("Date and time"),
    "choice": _("One choice"),
    "choices": _("Several choices"),
    "url": _("Web address"),
}
LEGAL_CLASSES: dict[str, Promise] = {
    "commercial": _("Marketing: needs consent"),
    "relationship": _("Relationship: about something they use"),
    "transactional": _("Transactional: needed for an order or a contract"),
}
SUPPRESSION_KINDS: dict[str, Promise] = {
    "email": _("E-mail address"),
    "phone": _("Phone number"),
    "domain": _("Whole domain"),
}
# What a new form says until somebody writes better; each in its own language, whatever the interface speaks.
DEFAULT_TEXTS = {
    "zh-hans": {
        "title": "订阅我们的来信",
        "intro": "",
        "consent": "我同意通过电子邮件接收以上所选内容，并可随时通过邮件中的链接退订。",
        "button": "订阅",
        "done": "谢谢！我们刚刚给您发了一封确认邮件。",
    },
    "en": {
        "title": "Subscribe to our mails",
        "intro": "",
        "consent": "I agree to receive the mails ticked above and can unsubscribe at any time by a link in each.",
        "button": "Subscribe",
        "done": "Thank you! We have just sent you a mail to confirm.",
    },
}
_LABELS: dict[str, Promise] = {
    "title_zh": _("Title (Chinese)"),
    "title_en": _("Title (English)"),
    "intro_zh": _("Introduction (Chinese)"),
    "intro_en": _("Introduction (English)"),
    "consent_zh": _("Consent text (Chinese)"),
    "consent_en": _("Consent text (English)"),
    "button_zh": _("Button (Chinese)"),
    "button_en": _("Button (English)"),
    "done_zh": _("Thanks (Chinese)"),
    "done_en": _("Thanks (English)"),
}


def refuse(form: forms.Form, refused: DefinitionRefused) -> None:
    form.add_error(refused.field if refused.field in form.fields else None, ValidationError(refused.message))


class FieldForm(forms.Form):
    key = forms.CharField(
        label=_("Key"),
        max_length=40,
        help_text=_("Used in mails and imports, for example loyalty_level. It cannot be changed later."),
    )
    label_zh = forms.CharField(label=_("Label (Chinese)"), max_length=80, required=False)
    label_en = forms.CharField(label=_("Label (English)"), max_length=80, required=False)
    type = forms.ChoiceField(label=_("Type"), choices=list(FIELD_TYPES.items()))
    options = forms.CharField(
        label=_("Options"),
        required=False,
        widget=forms.Textarea({"rows": 5}),
        help_text=_("For choices: one a line. Labels may follow: gold | 金卡 | Gold"),
    )
    sensitive = forms.BooleanField(
        label=_("Sensitive: kept encrypted, hidden from those who may not see identities"), required=False
    )

    def __init__(self, *args: Any, definition: FieldDefinition | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if definition is not None:
            del self.fields["key"]
            self.initial = {
                "label_zh": definition.label_zh,
                "label_en": definition.label_en,
                "type": definition.type,
                "sensitive": definition.sensitive,
                "options": "\n".join(_option_line(option) for option in definition.options),
            }

    def values(self) -> dict[str, Any]:
        return self.cleaned_data | {"options": _option_rows(self.cleaned_data["options"])}


def _option_line(option: dict[str, str]) -> str:
    parts = [option["value"], option.get("label_zh", ""), option.get("label_en", "")]
    return parts[0] if len(set(parts)) == 1 else " | ".join(parts)


def _option_rows(text: str) -> list[dict[str, str]]:
    rows = []
    for line in text.splitlines():
        parts = [part.strip() for part in line.replace("｜", "|").split("|")]
        if parts[0]:
            zh = parts[1] if len(parts) > 1 else ""
            rows.append({"value": parts[0], "label_zh": zh, "label_en": parts[2] if len(parts) > 2 else ""})
    return rows


class TopicForm(forms.Form):
    key = forms.CharField(
        label=_("Key"),
        max_length=48,
        help_text=_("Used by programs, for example product_news. It cannot be changed later."),
    )
    name_zh = forms.CharField(label=_("Name (Chinese)"), max_length=80, required=False)
    name_en = forms.CharField(label=_("Name (English)"), max_length=80, required=False)
    about_zh = forms.CharField(label=_("What they get (Chinese)"), max_length=300, required=False)
    about_en = forms.CharField(label=_("What they get (English)"), max_length=300, required=False)
    legal_class = forms.ChoiceField(label=_("Kind of mail"), choices=list(LEGAL_CLASSES.items()))
    active = forms.BooleanField(label=_("On offer: shown on forms and in the preference centre"), required=False)

    def __init__(self, *args: Any, topic: Topic | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"active": True}
        if topic is not None:
            del self.fields["key"]
            self.initial = {name: getattr(topic, name) for name in self.fields}


class SignupFormForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Only you see it, for example Shop footer."))
    topics = forms.MultipleChoiceField(
        label=_("Topics"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing is ticked beforehand: whoever signs up chooses."),
    )
    fields_asked = forms.MultipleChoiceField(
        label=_("Ask also for"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Everything but the address is optional. The fewer questions, the more sign-ups."),
    )
    redirect_hosts = forms.CharField(
        label=_("May lead on to"),
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("Host names, one a line. Add ?next=https://… to the address of the form to lead there."),
    )
    hourly_limit = forms.IntegerField(
        label=_("Sign-ups an hour from one network address"), min_value=1, max_value=10_000, initial=20
    )

    def __init__(self, *args: Any, form: SignupForm | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["topics"].choices = [  # type: ignore[attr-defined]
            (topic.key, f"{topic_name(topic)} – {topic_about(topic)}" if topic_about(topic) else topic_name(topic))
            for topic in topics()
            if topic.active
        ]
        self.fields["fields_asked"].choices = _askable_choices()  # type: ignore[attr-defined]
        texts = form.texts if form is not None else DEFAULT_TEXTS
        for part in TEXTS:
            for code in LANGUAGES:
                name = text_field(part, code)
                area = forms.Textarea({"rows": 3}) if part in {"intro", "consent", "done"} else forms.TextInput()
                self.fields[name] = forms.CharField(
                    label=str(_LABELS[name]), max_length=TEXT_LIMITS[part], required=False, widget=area
                )
                self.initial[name] = texts.get(code, {}).get(part, "")
        if form is not None:
            self.initial = {
                **self.initial,
                "name": form.name,
                "topics": list(form.topics.values_list("key", flat=True)),
                "fields_asked": form.fields,
                "redirect_hosts": "\n".join(form.redirect_hosts),
                "hourly_limit": form.hourly_limit,
            }

    def values(self) -> FormValues:
        given = self.cleaned_data
        return FormValues(
            name=given["name"],
            topic_keys=given["topics"],
            texts={code: {part: given[text_field(part, code)] for part in TEXTS} for code in LANGUAGES},
            fields=given["fields_asked"],
            redirect_hosts=given["redirect_hosts"].split(),
            hourly_limit=given["hourly_limit"],
        )


def _askable_choices() -> list[tuple[str, str]]:
    chinese = (get_language() or "zh").startswith("zh")
    custom = [
        (CUSTOM + item.key, item.label_zh if chinese else item.label_en) for item in definitions() if not item.sensitive
    ]
    return [(key, str(label)) for key, label in ASKABLE.items()] + custom


class SuppressionForm(forms.Form):
    kind = forms.ChoiceField(label=_("Kind"), choices=list(SUPPRESSION_KINDS.items()))
    value = forms.CharField(label=_("Address, number or domain"), max_length=320)
    note = forms.CharField(
        label=_("Why"), max_length=200, required=False, help_text=_("For colleagues; no personal data, please.")
    )
