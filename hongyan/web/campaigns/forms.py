"""The forms of the editor's steps. They check shapes; what a campaign needs before it can be sent is preflight's."""

from datetime import UTC, datetime

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hongyan.campaigns.types import Stage
from hongyan.content.types import MailType
from hongyan.web.campaigns.words import MAIL_TYPES, STAGES

STAGE_CHOICES = [(stage.value, label) for stage, label in STAGES.items()]
TYPE_CHOICES = [(kind.value, label) for kind, label in MAIL_TYPES.items()]


class AboutForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=160,
        help_text=_("Only your team sees it."),
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
    goal = forms.CharField(
        label=_("Goal"),
        max_length=500,
        required=False,
        help_text=_("What should people do after reading? It stands on the report beside the result."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    stage = forms.ChoiceField(label=_("Lifecycle stage"), choices=STAGE_CHOICES, initial=Stage.CONVERSION.value)
    mail_type = forms.ChoiceField(label=_("Kind of mail"), choices=TYPE_CHOICES, initial=MailType.PROMOTION.value)


class WordingForm(forms.Form):
    """Subject and preheader of this campaign; empty keeps the mail's own."""

    subject = forms.CharField(label=_("Subject"), max_length=400, required=False)
    preheader = forms.CharField(
        label=_("Preheader"),
        max_length=400,
        required=False,
        help_text=_("The line that inboxes show after the subject."),
    )


class SendingForm(forms.Form):
    """Sender, topic and time. Times are typed in the zone of the page (the person's, or the organisation's)."""

    sender = forms.ChoiceField(label=_("From"), required=False)
    topic = forms.ChoiceField(
        label=_("Topic"),
        required=False,
        help_text=_("People who gave no consent to this topic get nothing, and the count says so."),
    )
    timing = forms.ChoiceField(
        label=_("When"),
        choices=[("now", _("As soon as I press send")), ("at", _("At a set time"))],
        widget=forms.RadioSelect,
        initial="now",
    )
    send_at = forms.CharField(
        label=_("Date and time"), required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )

    def __init__(
        self, *args: object, senders: list[tuple[str, str]], topics: list[tuple[str, str]], **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["sender"].choices = [("", "—"), *senders]  # type: ignore[attr-defined]
        self.fields["topic"].choices = [("", "—"), *topics]  # type: ignore[attr-defined]

    def clean_send_at(self) -> datetime | None:
        text = self.cleaned_data["send_at"]
        if not text or self.data.get("timing") != "at":
            return None
        zone = timezone.get_current_timezone()
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise forms.ValidationError(_("This is not a date and time.")) from None
        if at.tzinfo is not None:
            return at
        local = at.replace(tzinfo=zone)
        # The hour that a change to summer time skips does not exist; of the hour it repeats, the first one is meant.
        if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != at:
            raise forms.ValidationError(_("The clocks change at that hour: it does not exist on that day."))
        return local

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if cleaned.get("timing") == "at" and not cleaned.get("send_at") and "send_at" not in self.errors:
            self.add_error("send_at", _("Choose a date and time."))
        return cleaned
