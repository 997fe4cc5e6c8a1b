"""Outbox, gate, transports, links, senders: nobody is mailed twice, nobody is lost, every refusal has a name.

Nouns: ``Sender`` (who mails come from), ``Message`` (one mail to one person: outbox row and send log in one),
``Origin`` (why it exists), ``OriginHold`` (a pause or a cancellation), ``Claim`` (the batch a worker holds, with its
lease and fencing token), ``DirectContent`` (sealed text of a single mail until it is sent), ``Throttle`` (a recipient
domain that asked us to wait), ``CaughtMail`` (what the local catcher took in).

Map: ``services`` (dispatch, pause, send_now, …) · ``selectors`` (progress, recipients) · ``links`` (tokens in mails) ·
``mime`` (bytes of a message) · ``replies`` (what an SMTP reply means) · ``transports`` (SMTP) · ``sender`` and ``lane``
(claim → gate → render → send → record) · ``catcher`` (the inbox of an installation without a mail server).

A message moves ``queued → claimed → dotted → sent | deferred | bounced | failed | uncertain``, or ends ``refused`` or
``cancelled``. ``dotted`` is committed before the byte that ends the mail leaves us; what dies between that and the
recorded answer is ``uncertain``, shown, and never mailed again by itself when it is marketing (RFC 1047).
"""
