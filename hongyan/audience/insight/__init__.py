"""What an audience is like: whom it shares with others, how it differs from everyone, what it is worth.

``members`` says who belongs; ``overlap`` and ``composition`` and ``value`` count, in large installations through
``columns``; ``venn`` draws. All reads.
"""
