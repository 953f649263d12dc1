"""What others wrote is stored and printed as text, and never as anything else."""

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from lavka.kernel import letters
from lavka.kernel.models import DeadLetter, DriftReport
from lavka.kernel.plain_text import printable, storable


@pytest.mark.django_db
def test_whatever_is_storable_is_stored():
    odd = "a\x00b\ud800c\x1b[31md\u202ee\x85\n\t\U0001f600"

    report = DriftReport.objects.create(subject=storable(odd, 100), checked=0, drifted=0)

    report.refresh_from_db()
    assert report.subject == "a�b�c�[31md�e�\n\t\U0001f600"


def test_it_is_cut_to_the_limit():
    assert storable("x" * 10, 3) == "xxx"
    assert storable(OSError(5, "no"), 100) == "[Errno 5] no"


@given(st.text(alphabet=st.characters()))
def test_a_printable_line_is_one_line_and_can_be_read_back(text):
    line = printable(text)

    assert len(line.splitlines()) <= 1
    assert not {each for each in line if ord(each) < 32 or 0x7F <= ord(each) < 0xA0}
    assert printable(text + "\n") == line + "\\n"


def test_two_texts_do_not_print_alike():
    assert printable("a\\nb") != printable("a\nb")


@pytest.mark.django_db
def test_a_dead_letter_with_odd_words_is_filed():
    odd = "\x00\ud800" * 300
    message = letters.Message(task_id=odd, task=odd, queue=odd, arguments={"a": 1})

    letters.file(message=message, reason=letters.Reason.FAILED, error=odd, at=timezone.now())

    assert DeadLetter.objects.get().error == "\N{REPLACEMENT CHARACTER}" * 600
