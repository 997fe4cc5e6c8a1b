"""Tags and lists that an import gives to its people, a chunk at a time."""

from collections.abc import Mapping, Sequence

from hongyan.accounts.types import system_actor
from hongyan.audience.lists import add_to_list
from hongyan.audience.models import ContactList, Tag, TagChange
from hongyan.audience.tagging.tags import apply_tag
from hongyan.audience.tagging.taxonomy import key_of, tag_for_key
from hongyan.audience.types import OnOtherTag
from hongyan.contacts.bulk_rows import Outcome, RowOutcome
from hongyan.core.clock import now
from hongyan.ingest.errors import FileRefused

MAX_TAGS = 500  # different tags in a file; more is a column of something else
_TAKEN = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.MERGED})


class Memberships:
    """tags: keys, lists: public ids, given to everybody. source names the import, so that a resumed run goes on with
    the same ``TagChange`` and one act can be undone as one."""

    def __init__(self, tags: Sequence[str], lists: Sequence[str], source: str) -> None:
        self._tags, self._source = tuple(tags), source[:64]
        self._lists = list(ContactList.objects.filter(public_id__in=lists).values_list("id", flat=True))
        self._by_name: dict[str, Tag] = {}

    def apply(self, outcomes: Sequence[RowOutcome], names: Mapping[int, tuple[str, ...]]) -> int:
        """In the chunk's transaction. Returns how many tags were newly given."""
        taken = {
            item.ref: item.contact_id for item in outcomes if item.outcome in _TAKEN and item.contact_id is not None
        }
        people = sorted(set(taken.values()))
        if not people:
            return 0
        for list_id in self._lists:
            add_to_list(list_id, people, self._source)
        wanted: dict[str, set[int]] = {name: set(people) for name in self._tags}
        for line, found in names.items():
            if line in taken:
                for name in found:
                    wanted.setdefault(name, set()).add(taken[line])
        return sum(self._give(name, sorted(ids)) for name, ids in wanted.items() if ids)

    def _give(self, name: str, ids: list[int]) -> int:
        tag = self._tag(name)
        if tag is None:
            return 0
        change = TagChange.objects.filter(tag=tag, source=self._source, action=TagChange.Action.ADD).first()
        if change is None:
            change = TagChange.objects.create(
                tag=tag, action=TagChange.Action.ADD, source=self._source, actor_label="import", at=now()
            )
        before = change.affected
        apply_tag(change, ids, OnOtherTag.REPLACE)
        if not change.affected:
            change.delete()
            return 0
        change.save(update_fields=["affected"])
        return change.affected - before

    def _tag(self, name: str) -> Tag | None:
        if not key_of(name):
            return None
        if name not in self._by_name:
            if len(self._by_name) >= MAX_TAGS:
                raise FileRefused("too_many_tags", limit=MAX_TAGS)
            self._by_name[name] = tag_for_key(actor=system_actor("import"), key=name, name=name)
        return self._by_name[name]
