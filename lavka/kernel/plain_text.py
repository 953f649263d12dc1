"""Text of others, made safe to store and to print."""

import re

# Control characters, but for tab and line breaks; separators and directions that hide or reorder
# what a terminal or a page shows; halves of surrogate pairs.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\\\\]"
)


def storable(text: object, limit: int) -> str:
    """At most `limit` characters that PostgreSQL stores and a page shows; others become U+FFFD."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(text)[:limit])


def printable(text: str) -> str:
    """One line that cannot pretend to be several, or move a terminal's cursor: `\\n` for a newline.

    A backslash is doubled, so that what is written can be read back.
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
