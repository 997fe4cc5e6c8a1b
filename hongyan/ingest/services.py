"""Acts on imports, in the order a person does them: upload, configure, try out, start, pause, resume, cancel, undo."""

from hongyan.ingest.configuring import (
    POLICIES,
    import_configure,
    import_consent,
    import_field_create,
    import_fields_of_origin,
    import_forget_origin,
)
from hongyan.ingest.running import (
    import_begin,
    import_cancel,
    import_dry_run,
    import_pause,
    import_resume,
    import_start,
    import_undo,
)
from hongyan.ingest.uploading import (
    check_size,
    clean_name,
    import_create,
    import_reread,
)

__all__ = [
    "POLICIES",
    "check_size",
    "clean_name",
    "import_begin",
    "import_cancel",
    "import_configure",
    "import_consent",
    "import_create",
    "import_dry_run",
    "import_field_create",
    "import_fields_of_origin",
    "import_forget_origin",
    "import_pause",
    "import_reread",
    "import_resume",
    "import_start",
    "import_undo",
]
