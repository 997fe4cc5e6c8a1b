"""Whoever reads the audit log reads sentences: every act that the rooms record has one, and none is left over."""

import re
from pathlib import Path

from hongyan.audience.models_rules import RuleChange
from hongyan.campaigns.states import Act
from hongyan.web.settings.audit_words import ACTIONS, SUBJECTS

ROOMS = Path(__file__).resolve().parents[2] / "hongyan"
DOTTED = r'"([a-z0-9_]+\.[a-z0-9_]+)"'
RECORDED = re.compile(r"(?:\baction=|\b(?:_audit|_note|_record|_on_record|_log)\([^()]*?)" + DOTTED)
EITHER = re.compile(r"(?:_audit|_note|action ?)[=(][^\n]*?" + DOTTED + r" if [^\n]*? else " + DOTTED)
MADE = (
    {f"campaign.{act}" for act in Act}
    | {f"tag_rules.{act}" for act in RuleChange.Action}
    | {f"approval.{act}" for act in ("requested", "approved", "rejected", "withdrawn", "voided")}
    | {f"object.{act}{tail}" for act in ("added", "changed", "removed") for tail in ("", "_undone")}
)


def recorded() -> tuple[set[str], set[str], set[str]]:
    """Acts surely recorded, kinds of subjects, and every dotted name in a file that records."""
    actions, kinds, named = set(MADE), set[str](), set(MADE)
    for path in ROOMS.rglob("*.py"):
        text = path.read_text()
        if "audit" not in text or path.name == "audit_words.py":
            continue
        named |= set(re.findall(DOTTED, text))
        actions |= set(RECORDED.findall(text)) | {name for pair in EITHER.findall(text) for name in pair}
        kinds |= set(re.findall(r'subject_kind="([a-z_]+)"', text))
    return actions, kinds, named


def test_every_act_and_subject_has_its_words() -> None:
    actions, kinds, named = recorded()
    assert len(actions) > 120, "the acts are no longer found in the sources"
    assert sorted(actions - set(ACTIONS)) == []
    assert sorted(set(ACTIONS) - actions - named) == []
    assert sorted(kinds - set(SUBJECTS)) == []
