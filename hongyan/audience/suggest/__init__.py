"""Audiences nobody has thought of yet: people who resemble a chosen group, and groups that customers fall into.

features   what may tell people apart, each with the condition that says the same in the segment language
reading    the values of a sample, from the database
rules      a decision tree as a readable tree of conditions
lookalike, clusters   the two kinds of suggestion
runs       starting one, the job, reading what it found

Both end in an ordinary rule. Models only find it; every figure beside it is counted with the rule itself: precision and
recall on the half of the sample that the model has not seen, sizes over everybody. Features hold nothing that
identifies a person: no sealed field, no name, no address. scikit-learn is loaded by the job alone.
"""
