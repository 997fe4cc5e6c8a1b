"""Background jobs on procrastinate, with progress and cancel that people can see.

Nouns: ``Job`` (one piece of long work with its progress), a *kind* (the function that does it, ``registry.job_kind``),
*periodic work* (``registry.periodic``), ``Worker`` (a process that says it lives). A job outlives its worker: when that
dies, a resumable kind is started again and any other is marked failed. Parameters and results hold ids, never
personal data.
"""
