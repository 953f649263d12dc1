"""What the listing's rows mean: the shelf of the whole shop, and how facet tokens are written."""

from uuid import UUID

# Every product stands on this shelf too; no category and no brand has this id.
WHOLE_SHOP = UUID(int=0)
MAX_TOKEN_TEXT = 64


def token(code: str, kind: str, value: str) -> str:
    """A facet token: the attribute's code and a value; text is compared in any letter case."""
    return f"{code}={value[:MAX_TOKEN_TEXT].lower() if kind == 'text' else value}"
