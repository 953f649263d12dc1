"""What staff type to find orders, in terms: words, and numbers without what parts their digits."""

import re
import unicodedata
from itertools import groupby

from django.db.models import Q

MOST_TERMS = 10
# A few digits are in many phones, and somebody who types them means a postal code or a number.
FEWEST_DIGITS = 5
SHORTEST_POSTAL_CODE = 3
# Digits of a phone with the code of its country or of an area.
WHOLE_PHONE = range(9, 21)
CODE_LENGTHS = (1, 2, 3)
FEWEST_AFTER_CODE = 7
# Spaces, brackets, dashes of all kinds and signs that nobody sees; where digits stand, points and
# the plus too, that e-mail addresses have.
_SEPARATORS = re.compile(
    "[\\s()/,;\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2069\u2212\ufeff-]+"
    r"|(?<=\d)\.(?=\d)|\+(?=\d)"
)
# Not dialled from abroad.
_INNER_ZERO = re.compile(r"\(\s*0\s*\)")


def conditions_of(text: str) -> list[Q]:
    """That each term of a text is in an order's `described`; empty if there is none to look for."""
    terms = _terms_of(text)[:MOST_TERMS]
    digits = "".join(terms[0]) if len(terms) == 1 else ""
    if not _is_number(digits) or len(digits) >= FEWEST_DIGITS:
        return [_condition_of(words) for words in terms]
    if len(digits) < SHORTEST_POSTAL_CODE:
        return []
    # A word, that may have its country before it: "LV-1010".
    return [Q(described__folded__regex=f"( |[A-Z]-?){digits} ")]


def _terms_of(text: str) -> list[list[str]]:
    """The words of a text, one by one but for numbers that stand together."""
    plain = _INNER_ZERO.sub(" ", unicodedata.normalize("NFKC", text))
    words = [word for word in _SEPARATORS.split(plain) if word]
    terms: list[list[str]] = []
    for are_numbers, group in groupby(words, _is_number):
        together = list(group)
        terms += [together] if are_numbers else [[word] for word in together]
    return terms


def _is_number(term: str) -> bool:
    return term.isascii() and term.isdigit()


def _condition_of(words: list[str]) -> Q:
    """That they are there as one, or one by one if each is long enough: a postal code, a phone."""
    as_one = _condition_of_word("".join(words))
    if len(words) == 1 or any(len(word) < FEWEST_DIGITS for word in words):
        return as_one
    return as_one | Q(*map(_condition_of_word, words))


def _condition_of_word(word: str) -> Q:
    if not _is_number(word):
        return Q(described__folded__contains=word)
    # From abroad a phone has other zeros before it than at home, or none.
    number = word.lstrip("0")
    if len(number) in WHOLE_PHONE:
        return Q(described__folded__regex=_phones_like(number))
    return Q(described__folded__contains=number if len(number) >= FEWEST_DIGITS else word)


def _phones_like(number: str) -> str:
    """A pattern of a phone with the code of its country, or as it is dialled at home.

    That is without the code, and in most countries with a zero instead; Russia has an 8.
    """
    if len(number) == len("89991234567") and number.startswith("8"):
        number = number.removeprefix("8")
    without_code = (number[length:] for length in CODE_LENGTHS)
    at_home = "|".join(each for each in without_code if len(each) >= FEWEST_AFTER_CODE)
    return f"{number}| [08]?({at_home})"
