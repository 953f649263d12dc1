"""Article numbers that belong to nobody."""


def restricted_gtin(number: int, *, prefix: str) -> str:
    """A GTIN-13 of `prefix`, the number and a check digit.

    Prefixes 20 to 29 are for circulation within a company, so the codes clash with no real one.
    Source: GS1 General Specifications, 1.4 (prefixes) and 7.9.1 (check digit).
    """
    digits = prefix + str(number).zfill(12 - len(prefix))
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"
