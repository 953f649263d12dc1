"""What a password has to be, beside Django's own validators."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MAX_PASSWORD = 256
# Cc has no key of its own. Cf joins, hides and turns around; the others are letters and signs
# that show nothing: fillers and the blank of Braille.
_INVISIBLE = {"Cf", "Cs", "Zs", "Zl", "Zp"}
_BLANKS = re.compile("[\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f]")


class VisibleCharactersValidator:
    """Counts what can be seen: a password of blanks is none, and a key cannot type a control code.

    The password is looked at in its compatible form (NFKC), in which odd spaces are spaces, and a
    run of them is one.
    """

    def __init__(self, min_length: int = 8) -> None:
        """Ask for so many characters."""
        self.min_length = min_length

    def validate(self, password: str, user: object = None) -> None:
        """Raises ValidationError."""
        if any(unicodedata.category(each) in {"Cc", "Cs"} for each in password):
            raise ValidationError(
                _("A password cannot have control characters."), code="password_control_characters"
            )
        shown = "".join(
            " " if unicodedata.category(each) in _INVISIBLE or _BLANKS.match(each) else each
            for each in unicodedata.normalize("NFKC", password)
        )
        words = shown.split()
        if password and not words:
            raise ValidationError(_("This password is blank."), code="password_blank")
        # What is too short as it is, Django's own validator says.
        if len(" ".join(words)) < self.min_length <= len(password):
            raise ValidationError(self.get_help_text(), code="password_too_short")

    def get_help_text(self) -> str:
        """What staff read beside the form."""
        return _("At least %(count)d characters that can be seen.") % {"count": self.min_length}


class MaximumLengthValidator:
    """Bounds the work of hashing."""

    def validate(self, password: str, user: object = None) -> None:
        """Raises ValidationError."""
        if len(password) > MAX_PASSWORD:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        """What staff read beside the form."""
        return _("At most %(count)d characters.") % {"count": MAX_PASSWORD}
