"""The limits that are documented are those that hold."""

from pathlib import Path

from hongyan.ingest.intake import limits

DOC = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")


def test_the_page_states_every_limit() -> None:
    for stated in (
        f"| {limits.BODY_BYTES // 1000} kB |",
        f"| {limits.UNPACKED_BYTES // 1000:,} kB |",
        f"| {limits.BATCH_CALLS:,} |",
        f"| {limits.CALL_BYTES // 1024} kB |",
        f"| {limits.VALUES} |",
        f"| {limits.DEPTH} |",
        f"| {limits.NAME_LENGTH} characters | `event_too_long` |",
        f"| {limits.KEY_LENGTH} characters | `key_too_long` |",
        f"| {limits.USER_ID_LENGTH} characters |",
        f"| {limits.ID_LENGTH} characters |",
        f"the year {limits.OLDEST.year}",
        f"more than {limits.AHEAD.seconds // 60} minutes ahead",
    ):
        assert stated in DOC, stated
