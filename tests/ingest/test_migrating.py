"""Exports of other systems: recognised by their headers, consent kept as it was and never better."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.audience.models import ContactList
from hongyan.contacts import consent
from hongyan.contacts.models import ConsentRecord, ConsentState, Contact, FieldDefinition, Identifier, Suppression
from hongyan.contacts.selectors import identities
from hongyan.contacts.types import ConsentAction, Evidence
from hongyan.events.models import Event
from hongyan.ingest import services
from hongyan.ingest.errors import FileRefused, ImportNotReady
from hongyan.ingest.migrating import archive
from hongyan.ingest.migrating.recognise import Origin, Part, recognise
from hongyan.ingest.migrating.standing import ORDER, Stand, address, moment, names_of, standing_of, worse
from hongyan.ingest.models import Import
from hongyan.ingest.runner import import_dry, import_run
from hongyan.ingest.types import ConsentChoice, Counts
from tests.ingest.factory import ACTOR, started, upload

EXPORTS = Path(__file__).parent / "exports"
TOPIC = "newsletter"


def bring(name: str, *, dry: bool = False) -> tuple[Import, Counts]:
    """Uploaded, accepted as what it is, run."""
    row = upload((EXPORTS / name).read_bytes(), name)
    services.import_consent(
        actor=ACTOR,
        public_id=row.public_id,
        choice=ConsentChoice.KEPT,
        topics=[TOPIC],
        declared=True,
        statement="These are our own contacts.",
    )
    if dry:
        return row, import_dry(row.pk, lambda _done, _total: None, workers=0)
    started(row)
    counts = import_run(row.pk, lambda _done, _total: None, workers=0)
    row.refresh_from_db()
    return row, counts


def contact_of(email: str) -> Contact:
    found = [
        pk for pk, item in identities(list(Contact.objects.values_list("id", flat=True))).items() if item.email == email
    ]
    return Contact.objects.get(pk=found[0])


def stands(email: str) -> dict[str | None, str]:
    rows = ConsentState.objects.filter(contact=contact_of(email), channel="email")
    return dict(rows.values_list("topic__key", "state"))


def reasons(email: str) -> set[str]:
    blinds = Identifier.objects.filter(contact=contact_of(email), kind="email").values_list("blind", flat=True)
    return set(Suppression.objects.filter(blind__in=[bytes(item) for item in blinds]).values_list("reason", flat=True))


class TestRecognition:
    @pytest.mark.parametrize(
        ("name", "origin", "part"),
        [
            ("subscribed_members_export_a1b2c3.csv", Origin.MAILCHIMP, Part.SUBSCRIBED),
            ("unsubscribed_members_export_a1b2c3.csv", Origin.MAILCHIMP, Part.UNSUBSCRIBED),
            ("cleaned_members_export_a1b2c3.csv", Origin.MAILCHIMP, Part.CLEANED),
            ("hubspot.csv", Origin.HUBSPOT, Part.ALL),
            ("salesforce.csv", Origin.SALESFORCE, Part.ALL),
            ("listmonk.csv", Origin.LISTMONK, Part.ALL),
            ("listmonk_with_lists.csv", Origin.LISTMONK, Part.ALL),
            ("mautic.csv", Origin.MAUTIC, Part.ALL),
        ],
    )
    def test_by_the_header_whatever_the_file_is_called(self, name: str, origin: Origin, part: Part) -> None:
        import csv

        header = next(csv.reader(io.StringIO((EXPORTS / name).read_text())))
        for file_name in (name, "customers.csv"):
            recipe = recognise(header, file_name)
            assert recipe is not None
            assert (recipe.origin, recipe.part) == (origin, part)
            assert "email" in recipe.targets
            assert len(set(filter(None, recipe.targets))) == len([target for target in recipe.targets if target])

    @pytest.mark.parametrize(
        "header",
        [
            ["email", "name"],
            ["姓名", "邮箱", "手机"],
            ["id", "email", "status"],
            ["uuid", "email", "name"],
            ["Record ID", "Amount"],
        ],
    )
    def test_ordinary_files_are_ordinary(self, header: list[str]) -> None:
        assert recognise(header) is None


class TestStanding:
    def test_times_addresses_and_lists(self) -> None:
        assert moment("2021-03-02 10:11:12") == datetime(2021, 3, 2, 10, 11, 12, tzinfo=UTC)
        assert moment("2022-01-01T08:00:00.000Z") == datetime(2022, 1, 1, 8, tzinfo=UTC)
        assert moment("3/5/2024 10:11") == datetime(2024, 3, 5, 10, 11, tzinfo=UTC)
        assert [moment(text) for text in ("", "0000-00-00 00:00:00", "never", "31/31/2020")] == [None] * 4
        assert (address("203.0.113.7"), address("nowhere")) == ("203.0.113.7", "")
        assert names_of('[{"name": "A"}, {"name": "B"}]') == names_of("A;B") == names_of("A, B") == ("A", "B")

    @given(st.lists(st.sampled_from(ORDER), min_size=1))
    def test_the_stricter_reading_holds_in_any_order(self, stands_: list[Stand]) -> None:
        one = stands_[0]
        for other in stands_[1:]:
            one = worse(one, other)
        assert ORDER.index(one) == max(map(ORDER.index, stands_))

    @given(
        st.sampled_from(["salesforce.csv", "hubspot.csv", "mautic.csv"]),
        st.dictionaries(
            st.sampled_from(["opt_out", "dnc", "bounced", "marketing", "confirmation", "status"]), st.text(max_size=12)
        ),
    )
    def test_a_refusal_in_any_words_never_reads_as_consent(self, name: str, cells: dict[str, str]) -> None:
        import csv

        header = next(csv.reader(io.StringIO((EXPORTS / name).read_text())))
        recipe = recognise(header)
        assert recipe is not None
        refused = standing_of(recipe, {**cells, "opt_out": "true", "dnc": "unsubscribed"})
        assert refused.stand is not Stand.GIVEN


@pytest.mark.django_db
class TestMailchimp:
    def test_subscribed_with_the_original_time_and_address(self) -> None:
        row, counts = bring("subscribed_members_export_a1b2c3.csv")
        assert counts.standings == {"given": 3}
        assert stands("anna@example.com") == {TOPIC: "given"}
        record = ConsentRecord.objects.get(contact_id=contact_of("anna@example.com").pk, action="given")
        assert record.occurred_at == datetime(2021, 3, 2, 10, 15, 40, tzinfo=UTC)
        assert record.requested_at == datetime(2021, 3, 2, 10, 11, 12, tzinfo=UTC)
        assert (record.method, record.sealed_evidence is not None) == ("migration", True)
        assert "203.0.113.7" not in str(ConsentRecord.objects.filter(pk=record.pk).values()[0])
        from hongyan.audience.selectors import tags_of_contacts

        anna = contact_of("anna@example.com")
        tags = tags_of_contacts(actor=ACTOR, contact_ids=[anna.pk])[anna.pk]
        assert {tag.name_en or tag.name_zh for tag in tags} == {"VIP", "Tea, green"}
        assert (anna.country, anna.time_zone) == ("GB", "Europe/London")
        happened = Event.objects.filter(contact_id=anna.pk, name="newsletter_subscribed")
        assert [event.occurred_at for event in happened] == [datetime(2021, 3, 2, 10, 15, 40, tzinfo=UTC)]
        assert row.recipe["origin"] == "mailchimp"

    def test_unsubscribed_and_complained_are_suppressed(self) -> None:
        _row, counts = bring("unsubscribed_members_export_a1b2c3.csv")
        assert counts.standings == {"withdrawn": 1, "complained": 1}
        assert (stands("gone@example.com"), reasons("gone@example.com")) == ({None: "withdrawn"}, {"unsubscribed"})
        assert "complained" in reasons("angry@example.com")
        record = ConsentRecord.objects.get(contact_id=contact_of("gone@example.com").pk, action="withdrawn")
        assert record.occurred_at == datetime(2020, 7, 8, 9, 10, 11, tzinfo=UTC)
        assert "No longer interested" in record.wording

    def test_cleaned_are_bounced(self) -> None:
        bring("cleaned_members_export_a1b2c3.csv")
        assert (stands("dead@example.com"), reasons("dead@example.com")) == ({None: "none"}, {"hard_bounce"})

    def test_twice_is_the_same_as_once(self) -> None:
        for name in ("subscribed", "unsubscribed"):
            bring(f"{name}_members_export_a1b2c3.csv")
        before = (
            Contact.objects.count(),
            ConsentState.objects.count(),
            Suppression.objects.count(),
            Event.objects.count(),
        )
        for name in ("subscribed", "unsubscribed"):
            bring(f"{name}_members_export_a1b2c3.csv")
        after = (
            Contact.objects.count(),
            ConsentState.objects.count(),
            Suppression.objects.count(),
            Event.objects.count(),
        )
        assert after == before

    def test_a_trial_says_the_same_and_writes_nothing(self) -> None:
        _row, counts = bring("unsubscribed_members_export_a1b2c3.csv", dry=True)
        assert (counts.standings, Contact.objects.count()) == ({"withdrawn": 1, "complained": 1}, 0)


@pytest.mark.django_db
class TestNeverBetter:
    def leave(self, email: str, at: datetime) -> None:
        contact = contact_of(email)
        consent.unsubscribe(
            actor=ACTOR, contact_id=contact.pk, topic_key=None, evidence=Evidence(method="one_click", occurred_at=at)
        )

    def test_who_left_here_stays_gone_whatever_the_file_says(self) -> None:
        bring("subscribed_members_export_a1b2c3.csv")
        self.leave("left-before@example.com", datetime(2026, 1, 1, tzinfo=UTC))
        _row, counts = bring("subscribed_members_export_a1b2c3.csv")
        assert counts.standings["refused"] == 1
        assert stands("left-before@example.com")[TOPIC] == "withdrawn"
        assert reasons("left-before@example.com") == {"unsubscribed"}

    def test_whoever_agreed_here_after_leaving_there_is_not_thrown_out(self) -> None:
        bring("unsubscribed_members_export_a1b2c3.csv")
        gone = contact_of("gone@example.com")
        Suppression.objects.all().delete()
        consent.consent_record(
            actor=ACTOR,
            contact_id=gone.pk,
            channel="email",
            topic_key=TOPIC,
            action=ConsentAction.GIVEN,
            evidence=Evidence(method="form", occurred_at=datetime(2026, 1, 1, tzinfo=UTC)),
        )
        _row, counts = bring("unsubscribed_members_export_a1b2c3.csv")
        assert counts.standings["newer"] == 1
        assert (stands("gone@example.com")[TOPIC], reasons("gone@example.com")) == ("given", set())

    def test_a_time_to_come_is_no_evidence(self) -> None:
        later = (datetime.now(UTC) + timedelta(days=400)).strftime("%Y-%m-%d %H:%M:%S")
        raw = (EXPORTS / "subscribed_members_export_a1b2c3.csv").read_text().replace("2021-03-02 10:15:40", later)
        row = upload(raw, "subscribed_members_export.csv")
        services.import_consent(
            actor=ACTOR,
            public_id=row.public_id,
            choice=ConsentChoice.KEPT,
            topics=[TOPIC],
            declared=True,
            statement="x",
        )
        started(row)
        import_run(row.pk, lambda _done, _total: None, workers=0)
        assert ConsentRecord.objects.filter(occurred_at__gt=datetime.now(UTC)).count() == 0

    def test_kept_needs_a_known_export_a_topic_and_a_declaration(self) -> None:
        ordinary = upload("email,name\na@example.cn,A\n")
        known = upload((EXPORTS / "listmonk.csv").read_bytes(), "listmonk.csv")
        for row, told, code in (
            (ordinary, {"topics": [TOPIC], "declared": True, "statement": "x"}, "consent_not_known"),
            (known, {"topics": [], "declared": True, "statement": "x"}, "consent_incomplete"),
            (known, {"topics": [TOPIC], "declared": False, "statement": "x"}, "consent_not_declared"),
        ):
            values: dict[str, Any] = told
            with pytest.raises(ImportNotReady) as refused:
                services.import_consent(actor=ACTOR, public_id=row.public_id, choice=ConsentChoice.KEPT, **values)
            assert refused.value.code == code


@pytest.mark.django_db
class TestOthers:
    def test_hubspot(self) -> None:
        row = upload((EXPORTS / "hubspot.csv").read_bytes(), "hubspot-crm-exports-all-contacts.csv")
        services.import_fields_of_origin(actor=ACTOR, public_id=row.public_id)
        assert FieldDefinition.objects.filter(key="hubspot_lifecycle_stage").exists()
        _row, counts = bring("hubspot.csv")
        assert counts.standings == {"given": 1, "none": 1, "withdrawn": 1, "bounced": 1}
        assert stands("jane@example.com") == {TOPIC: "given"}
        assert stands("max@example.com") == {None: "none"}  # a marketing contact is one that is paid for
        assert reasons("una@example.com") == {"unsubscribed"}
        assert reasons("bob@example.com") == {"hard_bounce"}
        assert contact_of("jane@example.com").attributes["hubspot_lifecycle_stage"] == "customer"
        assert set(ContactList.objects.values_list("name", flat=True)) == {"Newsletter", "Customers"}

    def test_salesforce_knows_refusals_only(self) -> None:
        _row, counts = bring("salesforce.csv")
        assert counts.standings == {"none": 1, "withdrawn": 1, "bounced": 1}
        assert stands("chen@example.cn") == {None: "none"}
        assert reasons("olga@example.com") == {"unsubscribed"}
        assert contact_of("chen@example.cn").country == "CN"

    def test_listmonk(self) -> None:
        FieldDefinition.objects.create(key="colour", label_zh="颜色", label_en="Colour", type="text")
        _row, counts = bring("listmonk.csv")
        assert counts.standings == {"given": 1, "none": 1, "withdrawn": 1}
        assert reasons("blocked@example.com") == {"unsubscribed"}
        on = contact_of("on@example.com")
        assert (on.city, on.attributes["colour"]) == ("Oslo", "blue")

    def test_listmonk_with_lists_and_their_confirmations(self) -> None:
        _row, counts = bring("listmonk_with_lists.csv")
        assert counts.standings == {"given": 1, "pending": 1, "withdrawn": 1}
        assert stands("wait@example.com") == {TOPIC: "pending"}
        assert set(ContactList.objects.values_list("name", flat=True)) == {"Weekly", "Offers"}

    def test_mautic(self) -> None:
        _row, counts = bring("mautic.csv")
        assert counts.standings == {"none": 1, "withdrawn": 1, "bounced": 1}
        assert (reasons("nils@example.com"), reasons("rob@example.com")) == ({"unsubscribed"}, {"hard_bounce"})
        assert contact_of("mia@example.com").language == "fr"


@pytest.mark.django_db
class TestArchive:
    def zipped(self, **files: bytes) -> io.BytesIO:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
            for name, body in files.items():
                made.writestr(name, body)
        buffer.seek(0)
        return buffer

    def test_mailchimp_s_zip_becomes_three_imports(self) -> None:
        names = [f"{part}_members_export_a1b2c3.csv" for part in ("subscribed", "unsubscribed", "cleaned")]
        file = self.zipped(**{name: (EXPORTS / name).read_bytes() for name in names}, **{"readme.md": b"nothing"})
        assert archive.is_archive(file)
        made = archive.imports_create(actor=ACTOR, file=file)
        assert [row.recipe["part"] for row in made] == ["subscribed", "unsubscribed", "cleaned"]

    def test_bombs_and_workbooks(self) -> None:
        assert not archive.is_archive(self.zipped(**{"[Content_Types].xml": b"", "a.csv": b"x"}))
        assert not archive.is_archive(io.BytesIO(b"email\na@x.cn\n"))
        with pytest.raises(FileRefused):
            archive.imports_create(actor=ACTOR, file=self.zipped(**{"a.csv": b"0" * 5_000_000}))
        assert Import.objects.count() == 0
