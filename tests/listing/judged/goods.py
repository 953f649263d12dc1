"""A made-up electronics market whose sellers write as they like.

What a product is stands in its spec: its kind, its facts and what it fits. Its words are drawn
from that by chance, so that a judgement never rests on the words. All names are invented.
"""

import random
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MARKET = tomllib.loads(Path(__file__).with_name("market.toml").read_text())
SEED = 20
# How often a fact is left to the description, a seller is long-winded, and an accessory's title
# begins with its device.
UNTITLED = 0.2
LONG_WINDED = 0.45
FITTED_FIRST = 0.35


@dataclass(frozen=True, kw_only=True)
class Good:
    """One product: what it is, and what its seller says of it."""

    number: int
    kind: str
    brand: str
    model: str
    facts: Mapping[str, str]
    fits: Sequence[str] = ()
    name: str = field(compare=False)
    description: str = field(compare=False)


def goods() -> list[Good]:
    """The same products at every call."""
    chance = random.Random(SEED)
    kinds = [(kind, spec) for kind, spec in MARKET["kinds"].items() for _ in range(spec["count"])]
    return [_good(number, *each, chance) for number, each in enumerate(kinds)]


def _good(number: int, kind: str, spec: Mapping[str, Any], chance: random.Random) -> Good:
    brand, _, model = chance.choice(spec["makes"]).partition(":")
    facts = {name: chance.choice(values) for name, values in spec.get("facts", {}).items()}
    fits = chance.sample(spec["fits"], k=chance.choice((1, 1, 2))) if "fits" in spec else []
    seller = Seller(spec, facts, fits, chance)
    return Good(
        number=number,
        kind=kind,
        brand=brand,
        model=model,
        facts=facts,
        fits=[model] if spec.get("is_device") else fits,
        name=seller.title(brand, model),
        description=seller.description(),
    )


class Seller:
    """Puts a spec into words."""

    def __init__(
        self,
        spec: Mapping[str, Any],
        facts: Mapping[str, str],
        fits: Sequence[str],
        chance: random.Random,
    ) -> None:
        """Choose what the title leaves out, and whether it is a long one."""
        self.spec, self.facts, self.fits, self.chance = spec, facts, fits, chance
        self.is_long = chance.random() < LONG_WINDED
        self.untitled = {name for name in facts if chance.random() < UNTITLED}

    def title(self, brand: str, model: str) -> str:
        """Brand, model, facts around the noun, what it fits, and what sellers add."""
        told = [self.spelled(name) for name in self.facts if name not in self.untitled]
        self.chance.shuffle(told)
        cut = self.chance.randint(0, len(told))
        noun, fitted = self.chance.choice(self.spec["nouns"]), " / ".join(self.fits)
        parts = [brand, self.hyphened(model), *told[:cut], noun, *told[cut:]]
        if fitted and self.chance.random() < FITTED_FIRST:
            parts.insert(2, self.hyphened(fitted))
        elif fitted:
            link = self.chance.choice(("for", "compatible with", "designed for", "fits"))
            parts.append(f"{link} {self.hyphened(fitted)}")
        if self.is_long:
            parts += self.additions()
        said = [part for part in parts if part]
        comma = self.chance.choice((" ", " ", ", ", " - "))
        return comma.join([" ".join(said[:3]), *said[3:]])

    def additions(self) -> Iterator[str]:
        """What means nothing: extras, and devices with which it works as with any."""
        yield from self.chance.sample(MARKET["extras"], k=self.chance.randint(1, 3))
        if "works_with" in self.spec:
            named = self.chance.sample(self.spec["works_with"], k=1)
            more = [each for each in self.spec["works_with"] if self.chance.random() < 0.4]
            yield f"{self.chance.choice(('for', 'works with'))} {', '.join(named + more)}"

    def description(self) -> str:
        """All facts, and small talk."""
        noun = self.chance.choice(self.spec["nouns"]).lower()
        told = filter(None, [self.spelled(name) for name in self.facts])
        said = [f"{self.chance.choice(MARKET['openings'])} {noun}: {', '.join(told)}."]
        if self.fits:
            said.append(f"Made for {' and '.join(self.fits)}.")
        if "works_with" in self.spec and self.chance.random() < 0.7:
            said.append(f"Use it with your {self.chance.choice(self.spec['works_with'])}.")
        pitches = self.spec.get("pitches", [])
        said += self.chance.sample(pitches, k=min(2, len(pitches)))
        extras = self.chance.sample(MARKET["extras"], k=self.chance.randint(0, 4))
        return " ".join(said + [f"{extra}." for extra in extras])

    def spelled(self, name: str) -> str:
        """A fact in one of its spellings."""
        value = self.facts[name]
        measure = re.fullmatch(r"([\d.]+)([a-z]+)", value)
        if measure and measure[2] in MARKET["units"]:
            form: str = self.chance.choice(MARKET["units"][measure[2]])
            return form.format(measure[1])
        spelled: str = self.chance.choice(MARKET["spellings"].get(value, [value]))
        return spelled

    def hyphened(self, model: str) -> str:
        """A model number with or without its hyphen."""
        return self.chance.choice((model, model, model.replace("-", "")))
