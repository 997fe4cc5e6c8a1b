from django import forms
from django.utils.translation import gettext_lazy as _


class StyleForm(forms.Form):
    """One of each control, for the style page."""

    name = forms.CharField(label=_("Name"), help_text=_("As it appears in lists."))
    email = forms.EmailField(label=_("E-mail"))
    day = forms.DateField(label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    stage = forms.ChoiceField(label=_("Stage"), choices=[("a", "认知"), ("b", "吸引"), ("c", "转化"), ("d", "维护")])
    topics = forms.MultipleChoiceField(
        label=_("Topics"),
        choices=[("news", "News"), ("care", "Care"), ("offers", "Offers")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    timing = forms.ChoiceField(label=_("Time"), choices=[("now", "Now"), ("later", "Later")], widget=forms.RadioSelect)
    file = forms.FileField(label=_("File"), required=False)
    agree = forms.BooleanField(label=_("Ask for approval"), required=False)
    notes = forms.CharField(label=_("Notes"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
