"""What staff write over HTTP to have a kettle, and what they are refused."""

from tests.catalog.factories import make_kettle_type

RED = {"sku": "K-RED", "options": {"color": "red"}, "price": {"amount": 4900, "currency": "USD"}}
BLUE = {"sku": "K-BLUE", "options": {"color": "blue"}, "price": {"amount": 4500, "currency": "USD"}}
KETTLE = {
    "product_type": "kettle",
    "name": "Чайник со свистком",
    "attributes": {"volume": 1.7, "materials": ["glass", "steel"]},
    "variants": [RED, BLUE],
}


def refusals(answer) -> list[tuple[str, str]]:
    return [(each["pointer"], each["code"]) for each in answer.json()["errors"]]


def make_kettle(api, token, **change):
    make_kettle_type()
    answer = api.post("/manage/products/", KETTLE | change, token=token)
    assert answer.status_code == 201, answer.content
    return answer
