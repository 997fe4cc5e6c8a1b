"""Words of membership: why somebody came or went, and how current an audience is."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hongyan.audience.catalogue_events import EVENTS
from hongyan.audience.compiler.catalogue import Label
from hongyan.audience.membership.types import Cause, CauseKind, MembershipState, Standing
from hongyan.web.audiences.common import language

CHANGES = {
    "contact": gettext_lazy("the profile changed"),
    "consent": gettext_lazy("consent changed"),
    "tag": gettext_lazy("a tag changed"),
    "list": gettext_lazy("a list changed"),
    "facts": gettext_lazy("orders changed"),
    "company": gettext_lazy("the company changed"),
    "object": gettext_lazy("an object changed"),
    "standing": gettext_lazy("stage or RFM changed"),
    "forgotten": gettext_lazy("old events were deleted"),
}


def cause_text(cause: Cause) -> str:
    match cause.kind:
        case CauseKind.EVENT:
            return Label(EVENTS[cause.name]).text(language()) if cause.name in EVENTS else cause.name
        case CauseKind.CHANGE:
            return str(CHANGES.get(cause.name, _("the record changed")))
        case CauseKind.TIME:
            return _("time passed")
        case _:
            return _("the definition changed")


def state_pill(state: MembershipState) -> dict[str, str]:
    """tone, icon, label and a sentence for the title."""
    match state.standing:
        case Standing.CURRENT:
            return _pill("ok", "activity", _("Live"), _("Right within seconds of whatever changes it."))
        case Standing.OFF:
            return _pill("quiet", "hand-click", _("On demand"), _("Counted when somebody asks; nobody is followed."))
        case Standing.BROKEN:
            return _pill("bad", "alert-triangle", _("Broken"), _("The definition names what is no longer there."))
        case Standing.BUILDING:
            return _pill(
                "busy", "loader", _("Being filled"), _("Everybody is looked at once; then changes are followed.")
            )
        case _:
            return _pill("info", "clock", _("Waiting"), _("It will be filled in a moment."))


def _pill(tone: str, icon: str, label: str, title: str) -> dict[str, str]:
    return {"tone": tone, "icon": icon, "label": label, "title": title}


def day_label(day: Any) -> str:
    """Short, for axes: 11-22 is read the same in both languages."""
    return f"{day:%m-%d}"
