"""What the contract tests find in the shop; runs in the shop's own Django, prints the tokens."""

import sys

from tests.accounts.factories import make_customer, make_staff, token_of
from tests.catalog.factories import make_brand, make_category, make_product, make_variant

root = make_category(slug="kitchen", name="Kitchen")
shelf = make_category(slug="pots", name="Pots", parent=root)
brand = make_brand(slug="acme", name="Acme")
for number in range(3):
    product = make_product(slug=f"pot-{number}", name=f"Pot {number}", brand=brand, category=shelf)
    make_variant(product=product, sku=f"POT-{number}")
sys.stdout.write(f"{token_of(make_customer())} {token_of(make_staff())}\n")
