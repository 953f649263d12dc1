"""Every contender, really started, over one small seeded shop."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bench.contenders import CONTENDERS
from bench.exchange import Answer
from bench.ground import Ground, prepared
from bench.run import Course, check, lay_out
from bench.sampler import Sample, sampling
from bench.scenarios import SCENARIOS
from bench.serving import serving
from lavka.cli.trouble import Trouble

# The first test waits for a shop to be made.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    # Not pytest's folder, which every start of pytest closes to PostgreSQL's account.
    with TemporaryDirectory(prefix="lavka-bench-") as folder:
        Path(folder).chmod(0o711)
        with prepared(300, workers=1, root=Path(folder)) as running:
            yield running


@pytest.fixture(scope="module")
def courses(ground: Ground) -> list[Course]:
    return lay_out(list(SCENARIOS.values()), ground, workers=1)


@pytest.mark.parametrize("name", [name for name in CONTENDERS if name != "lavka"])
def test_a_contender_answers_as_lavka_does(name, ground, courses):
    expected = sum(len(course.samples) for course in courses if name in course.scenario.contenders)

    compared = check([CONTENDERS[name]], courses, ground, workers=1)

    assert compared == expected > 30


def test_a_contender_with_another_body_is_refused(ground, courses):
    page = next(course for course in courses if course.scenario.name == "page")
    sample = page.samples[0]
    wrong = Answer(200, {"items": sample.expected.body["items"][1:]})
    spoilt = replace(page, samples=[Sample(sample.request, wrong)])

    with pytest.raises(Trouble, match="20 instead of 19 entries"):
        check([CONTENDERS["fastapi"]], [spoilt], ground, workers=1)


def test_a_wrong_body_under_load_is_noticed(ground, courses):
    page = next(course for course in courses if course.scenario.name == "page")
    right = page.samples_for(CONTENDERS["fastapi"])[0]
    spoilt = Sample(right.request, Answer(200, {"items": []}))

    with serving(CONTENDERS["fastapi"], ground, workers=1) as running:
        with sampling(running.port, [right]) as found_right:
            pass
        with sampling(running.port, [spoilt]) as found_wrong:
            pass

    assert (found_right.compared, found_right.wrong) == (1, [])
    assert found_wrong.wrong == [f"{right.request.path}: /items: 20 instead of 0 entries"]
