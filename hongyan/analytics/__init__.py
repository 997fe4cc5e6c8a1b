"""Reports: what a campaign did, folded from the fact log as it grows.

Nouns: a ``Mark`` says that one message reached one outcome (opened by a person, clicked by a machine, unsubscribed …);
a ``Figure`` counts marks and hits of one origin; a ``Slot`` counts them per quarter of an hour.
Promises: every event is folded exactly once, also when the folder dies; people, machines and unknown are never added
together; a rate always comes with its denominator and interval. Rolled-up rows can be rebuilt from the fact log.
"""
