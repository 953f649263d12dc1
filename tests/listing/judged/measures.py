"""How good an order of products is, and the plain ranking with which a search is compared."""

import math
import re
from collections import Counter
from collections.abc import Sequence

DEPTH = 10
_K1, _B = 1.2, 0.75


def ndcg(grades: Sequence[int], *, possible: Sequence[int]) -> float:
    """NDCG@10 of the grades in the order shown, with gains 2^grade - 1.

    Source: Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, 2002;
    Burges et al., Learning to rank using gradient descent, 2005.
    """
    return _gain(grades) / _gain(sorted(possible, reverse=True))


def _gain(grades: Sequence[int]) -> float:
    places = enumerate(grades[:DEPTH], start=2)
    return math.fsum((2**grade - 1) / math.log2(place) for place, grade in places)


class Bm25:
    """Ranks texts by their words as they stand.

    Source: Robertson and Zaragoza, The probabilistic relevance framework: BM25 and beyond, 2009.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        """Count the words."""
        self._counts = [Counter(_words(text)) for text in texts]
        self._mean = sum(count.total() for count in self._counts) / len(texts)
        self._texts_with = Counter(word for count in self._counts for word in count)

    def best(self, query: str) -> list[int]:
        """Numbers of the texts that have any of the words, best first."""
        scores = [self._score(count, _words(query)) for count in self._counts]
        order = sorted(range(len(scores)), key=lambda number: -scores[number])
        return [number for number in order if scores[number] > 0]

    def _score(self, count: Counter[str], words: Sequence[str]) -> float:
        length = _K1 * (1 - _B + _B * count.total() / self._mean)
        return sum(
            self._rarity(word) * count[word] * (_K1 + 1) / (count[word] + length) for word in words
        )

    def _rarity(self, word: str) -> float:
        having = self._texts_with[word]
        return math.log(1 + (len(self._counts) - having + 0.5) / (having + 0.5))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
