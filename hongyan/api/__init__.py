"""The public JSON API (django-ninja), with keys of limited scope."""
