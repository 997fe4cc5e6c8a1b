"""Tags: the taxonomy of three levels, tagging people, rules that keep tags by themselves, and whether they are MECE.

tags: who bears a tag, by hand, in bulk, undone; taxonomy: groups and tags; rules: drafts and publishing of a group's
rules; applying: keeps what rules decide; graph: in which order; mece: overlap and gap, and their fixes; movement: how
many came and went.
"""
