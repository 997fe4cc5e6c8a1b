"""The web process: the slim edge path (tracking, one-click unsubscribe) first, Django for everything else."""

import os
from typing import cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hongyan.config.settings")

from django.core.asgi import get_asgi_application

_django = get_asgi_application()

from hongyan.edge.asgi import Application, EdgeApplication  # noqa: E402  needs Django's apps

application = EdgeApplication(fallback=cast("Application", _django))
