"""Settings, addresses, the ASGI application, the worker and the command line: the only place that knows every room."""
