"""The sender lane's parts: ``claims`` (batches with leases), ``gate`` and ``prepare`` (who may be mailed, and what),
``journal`` (dots and answers, committed together), ``serve`` (one SMTP connection), ``outcome`` (what an answer leads
to).
"""
