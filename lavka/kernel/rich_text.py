"""Text with a little HTML in it, cleaned whenever it is written, so it may be shown as it is."""

import re
from typing import Any

import nh3
from django.db import models

_SCHEMES = {"http", "https", "mailto", "tel"}
_TAG = re.compile(r"<[^>]*>")


def clean_html(text: str) -> str:
    """The text without scripts, styles, handlers, forms and frames; what is clean stays as it is.

    Text without a `<` is none but itself: it has no markup, and may be read as plain text.
    """
    return nh3.clean(text, url_schemes=_SCHEMES) if "<" in text else text


def text_of(html: str, limit: int) -> str:
    """The words of cleaned HTML, at most `limit` characters; entities stay as they are."""
    return " ".join(_TAG.sub(" ", html).split())[:limit]


class RichTextField(models.TextField):
    """Cleans on every way into the database: `save`, bulk writes and updates alike."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Clean the instance's own value too, for whoever shows it after the write."""
        value = super().pre_save(model_instance, add)
        if isinstance(value, str):
            value = clean_html(value)
            setattr(model_instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        """Clean what an update or a bulk write brings."""
        prepared = super().get_prep_value(value)
        return clean_html(prepared) if isinstance(prepared, str) else prepared
