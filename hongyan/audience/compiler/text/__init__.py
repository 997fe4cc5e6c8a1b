"""The text form of an audience: one line that can be typed, copied and kept under version control.

``read`` and ``write`` turn text into the JSON tree and back without loss; docs/segments.md is the language reference.
"""

from hongyan.audience.compiler.text.read import Reading, read
from hongyan.audience.compiler.text.write import write

__all__ = ["Reading", "read", "write"]
