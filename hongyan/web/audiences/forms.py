from django import forms
from django.utils.translation import gettext_lazy as _

from hongyan.audience.models import TAG_COLOURS, TagGroup
from hongyan.audience.types import OnOtherTag
from hongyan.web.audiences.words import COLOURS, group_name


class AudienceForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    description = forms.CharField(label=_("Description"), max_length=400, required=False)


class ListForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    description = forms.CharField(label=_("Description"), max_length=400, required=False)


class GroupForm(forms.Form):
    name_zh = forms.CharField(label=_("Chinese name"), max_length=80)
    name_en = forms.CharField(label=_("English name"), max_length=80, required=False)
    exclusive = forms.BooleanField(label=_("Exclusive: a contact has at most one tag of this group"), required=False)


class NewGroupForm(GroupForm):
    key = forms.CharField(
        label=_("Key"),
        max_length=64,
        required=False,
        help_text=_("What conditions and imports say. Empty: made from the name. It cannot be changed later."),
    )
    parent = forms.ModelChoiceField(
        label=_("Inside"), queryset=TagGroup.objects.none(), required=False, to_field_name="public_id"
    )
    field_order = ["name_zh", "name_en", "key", "parent", "exclusive"]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        _choose_groups(self.fields["parent"], TagGroup.objects.filter(level__lt=3), _("Top level"))


class TagForm(forms.Form):
    name_zh = forms.CharField(label=_("Chinese name"), max_length=80)
    name_en = forms.CharField(label=_("English name"), max_length=80, required=False)
    colour = forms.ChoiceField(label=_("Colour"), choices=[(colour, COLOURS[colour]) for colour in TAG_COLOURS])
    group = forms.ModelChoiceField(label=_("Group"), queryset=TagGroup.objects.none(), to_field_name="public_id")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        _choose_groups(self.fields["group"], TagGroup.objects.all(), None)


class NewTagForm(TagForm):
    key = forms.CharField(
        label=_("Key"),
        max_length=64,
        required=False,
        help_text=_("What conditions and imports say. Empty: made from the name. It cannot be changed later."),
    )
    field_order = ["name_zh", "name_en", "key", "group", "colour"]


class TaggingForm(forms.Form):
    """Tag everyone in an audience."""

    tag = forms.SlugField(allow_unicode=True)
    act = forms.ChoiceField(choices=[("add", "add"), ("remove", "remove")])
    on_other = forms.ChoiceField(choices=[(choice.value, choice.value) for choice in OnOtherTag], required=False)


def _choose_groups(field: forms.Field, groups: object, empty: object) -> None:
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  tells the type checker
    field.queryset = groups  # type: ignore[assignment]
    field.empty_label = empty  # type: ignore[assignment]
    field.label_from_instance = _indented  # type: ignore[method-assign,assignment]
    field.widget.choices = [choice for choice in field.choices]  # type: ignore[union-attr]  # noqa: C416


def _indented(group: TagGroup) -> str:
    return "　" * (group.level - 1) + group_name(group)
