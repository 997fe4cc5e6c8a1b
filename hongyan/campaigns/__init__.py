"""One mail to one audience: preflight, approval, frozen recipients, pause, resume, cancel.

Nouns: a ``Campaign`` is filed under a lifecycle stage and a mail type; it has an audience (and exclusions), a mail, a
sender and a time. A ``Transition`` is one recorded step of its life; a ``Finding`` is something preflight has to say.
Promises: the life of a campaign follows the table in ``states.py`` and nothing else; recipients are frozen exactly
once; everybody of the audience is either mailed or counted under a named reason; it is finished only when every
message has a final state; an approval holds for exactly the content and audience approved.
"""
