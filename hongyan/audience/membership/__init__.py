"""Members of saved audiences, right within seconds of whatever changes them, and what became of them over time.

plan       what each live audience depends on: events, kinds of changes, moments at which it may turn
batch      evaluating a few contacts for many audiences at once
months     in which months somebody has facts that count from long ago
passing    one pass of the lane: what is new, whom it may concern, who came and went; all in one transaction
turning    moments: windows that events leave, dates that are reached
building   filling an audience, and filling it anew when its definition changed
writing    members, moves, daily sizes and events of one pass
selectors  reads · services  the switch and snapshots · lane, tasks  the worker's shells
"""
