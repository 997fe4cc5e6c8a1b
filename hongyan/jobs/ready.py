"""Called by procrastinate when its app is ready: registers every room's job kinds."""

import procrastinate


def on_app_ready(app: procrastinate.App) -> None:
    del app
