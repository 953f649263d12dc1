"""What a password has to be, beside Django's own validators."""

import re
import unicodedata
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from lavka.kernel.conf import options

MAX_PASSWORD = 256
# What a guesser of this shop's passwords tries first, beside the shop's own name and host. They are
# listed in docs/security.md.
GUESSED_WORDS = frozenset(
    {"admin", "administrator", "lavka", "password", "shop", "staff", "store", "superuser", "админ",
     "администратор", "лавка", "магазин", "пароль"}
)  # fmt: skip
# A shorter part of a name stands in too many words.
MIN_GUESSED_WORD = 4
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


class GuessedWordsValidator:
    """Refuses a password of little more than words that anybody guesses who knows the shop."""

    def __init__(self, min_length: int = 8) -> None:
        """Ask for so many characters beside the words."""
        self.min_length = min_length

    def validate(self, password: str, user: object = None) -> None:
        """Raises ValidationError."""
        rest = _spelled_alike(password)
        is_guessed = False
        for word in sorted(guessed_words(), key=len, reverse=True):
            is_guessed |= word in rest
            rest = rest.replace(word, " ")
        if is_guessed and len(" ".join(rest.split())) < self.min_length:
            raise ValidationError(self.get_help_text(), code="password_guessable")

    def get_help_text(self) -> str:
        """What staff read beside the form."""
        return _("Not only the shop's name or words such as “admin” and “password”.")


def guessed_words() -> frozenset[str]:
    """`GUESSED_WORDS`, and the parts of the shop's name and host; not the top-level domain."""
    host = urlsplit(options.shop_url).hostname or ""
    own = [*re.split(r"\W+", _spelled_alike(options.shop_name)), *host.split(".")[:-1]]
    return GUESSED_WORDS | {each for each in own if len(each) >= MIN_GUESSED_WORD}


def _spelled_alike(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
