from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "hongyan.ingest"
    label = "ingest"

    def ready(self) -> None:
        from hongyan.ingest.intake import ownership, retrying
        from hongyan.ingest.quarantine import register_retrier
        from hongyan.ingest.sources import runner

        register_retrier(runner.KIND, runner.retry_record)
        retrying.register()
        ownership.register()
        from hongyan.contacts.merging import register_staying

        register_staying("ingest_importcreation", "Undoing an import leaves merged people be.")
