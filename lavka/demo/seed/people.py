"""Seeded customers: many, with names that repeat as names do."""

from collections.abc import Iterator

from lavka.demo import goods
from lavka.demo.seed.ids import OPENED_AT, OPENED_MS, Kind, seeded_id

EMAIL_DOMAIN = "seed.example.com"


def customer_id(number: int) -> str:
    """The id of customer `number`; all of them came in the first days of the shop."""
    return seeded_id(Kind.CUSTOMER, number, OPENED_MS + number * 10)


def customer_rows(count: int, password: str) -> Iterator[str]:
    """Lines for COPY; `password` is the hash that all of them have."""
    words = goods.read("seed")
    first_names, last_names = words["first_names"], words["last_names"]
    joined_at = OPENED_AT.isoformat()
    for number in range(count):
        first = first_names[number % len(first_names)]
        last = last_names[number // len(first_names) % len(last_names)]
        email = f"{first}.{last}.{number}@{EMAIL_DOMAIN}".lower()
        yield (
            f"{customer_id(number)}\t{email}\t{first} {last}\t{password}\t"
            f"f\tf\tt\t{joined_at}\t{joined_at}\n"
        )


def prime_from(number: int) -> int:
    """The first prime that is not below `number`: any stride then walks through all customers."""
    while any(number % divisor == 0 for divisor in range(2, int(number**0.5) + 1)):
        number += 1
    return number
