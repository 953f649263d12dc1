"""What each mail says, in the language of who gets it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string, select_template
from django.utils import translation

from lavka.kernel.conf import options

COLUMN = "\t"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's subject and its text, plain and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail before it is written: what it says, to whom, and what its template needs."""

    kind: str
    to: str
    language: str
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A part of a mail; lines with a tab in them are rows of a table."""

    source: str

    @property
    def text(self) -> str:
        """As plain text."""
        return self.source.replace(COLUMN, "  ")

    @property
    def rows(self) -> list[list[str]]:
        """Each line's cells, nothing for a paragraph that is no table."""
        if COLUMN not in self.source:
            return []
        return [line.split(COLUMN) for line in self.source.splitlines()]


def written(draft: Draft) -> Letter:
    """Write the mail.

    A template's first line is the subject and blank lines end its paragraphs. The HTML is made
    of the same paragraphs, with the link as a button, so the two cannot say different things.
    """
    context = {"shop_name": options.shop_name, **draft.context}
    with translation.override(draft.language):
        names = [
            f"notifications/{language}/{draft.kind}.txt" for language in (draft.language, "en")
        ]
        rendered = select_template(names).render(context)
        subject, *parts = [part.strip() for part in rendered.split("\n\n") if part.strip()]
        paragraphs = [Paragraph(part) for part in parts]
        html = render_to_string(
            "notifications/letter.html",
            context | {"subject": subject, "paragraphs": paragraphs, "language": draft.language},
        )
    text = "\n\n".join(paragraph.text for paragraph in paragraphs)
    return Letter(subject, f"{text}\n", html)
