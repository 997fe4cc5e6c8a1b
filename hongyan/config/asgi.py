"""The web process: the slim edge path (tracking, one-click unsubscribe) first, Django for everything else."""

import os
import warnings
from typing import cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hongyan.config.settings")

# WhiteNoise streams files from an ordinary iterator; Django reads it whole first, which for our small, compressed files
# costs nothing worth a line in the log of every request.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

import django  # noqa: E402

django.setup(set_prefix=False)

from hongyan.edge.asgi import Application, EdgeApplication  # noqa: E402  needs Django's apps
from hongyan.ingest.uploads import SealingASGIHandler  # noqa: E402

application = EdgeApplication(fallback=cast("Application", SealingASGIHandler()))
