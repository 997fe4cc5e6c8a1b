"""Called by procrastinate when its app is ready; it has imported every room's ``tasks`` by then."""

import logging

import procrastinate


def on_app_ready(app: procrastinate.App) -> None:
    del app
    # It tells of every registration and every job at INFO; our own Job rows say the same for people.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
