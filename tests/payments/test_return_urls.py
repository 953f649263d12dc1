"""A customer who had to go to their bank comes back to the shop front, and to nobody else's."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from lavka.payments import flows
from lavka.payments.models import Payment
from lavka.payments.rules import PaymentInput
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.happening import SYSTEM
from tests.inventory.factories import make_stock
from tests.payments.factories import make_payment, run

pytestmark = pytest.mark.django_db

FRONT = "https://front.example"
BACK = f"{FRONT}/checkout/done?cart=7&x=%20#paid"


@pytest.fixture(autouse=True)
def _fronts(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [FRONT]
    settings.LAVKA = settings.LAVKA | {"SHOP_URL": "https://shop.example:8443/de"}


def check_out(api: Api, **payment: Any) -> Any:
    cart = make_ready_cart(make_stock(9))
    quote = Buyer(api, cart).quote().json()["id"]
    means = {"method": "sandbox", "token": "requires_action"} | payment
    body = {"quote_id": quote, "payment": means}
    return api.post(f"/carts/{cart.pk}/checkout/", body, Idempotency_Key=str(cart.pk))


def test_the_banks_page_leads_back_to_the_front(api: Api):
    checkout = check_out(api, return_url=BACK).json()

    action = checkout["payment"]["action"]
    page = action["url"].removeprefix("https://shop.example:8443/de")
    shown = api.client.get(page)
    answered = api.client.post(page, {"answer": "confirm"})
    decided = api.client.get(page)

    assert action["type"] == "redirect"
    assert shown.status_code == 200
    assert (answered.status_code, answered["Location"]) == (302, BACK)
    assert f'href="{BACK.replace("&", "&amp;")}"' in decided.content.decode()
    assert Payment.objects.get().return_url == BACK


def test_a_front_that_names_no_address_is_not_led_anywhere(api: Api):
    action = check_out(api).json()["payment"]["action"]
    page = action["url"].removeprefix("https://shop.example:8443/de")

    answered = api.client.post(page, {"answer": "confirm"})

    assert answered["Location"] == page


@pytest.mark.parametrize(
    "address",
    ["https://shop.example:8443/back", "https://SHOP.example:8443", "https://front.example:443/a"],
)
def test_every_front_of_the_shop_may_be_come_back_to(api: Api, address: str):
    assert check_out(api, return_url=address).status_code == 201


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "http://front.example/",
        "https://front.example:444/",
        "https://front.example.evil.example/",
        "https://evil.example/https://front.example/",
        "https://evil.example#https://front.example",
        "https://front.example@evil.example/",
        "https://front.example\\@evil.example/",
        "https://evil.example\\.front.example/",
        "https://front.example%2f@evil.example/",
        "//front.example/",
        "/checkout/done",
        "javascript:alert(1)//https://front.example/",
        "data:text/html,https://front.example/",
        "https://front.example/\r\nLocation: https://evil.example/",
        " https://evil.example/",
        "https://frоnt.example/",
        "https://front.example/" + "a" * 1000,
        5,
        None,
        ["https://front.example/"],
    ],
)
def test_nobody_elses_address_is_come_back_to(api: Api, address: Any):
    refused = check_out(api, return_url=address)

    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "#/payment/return_url"
    if error["code"] == "not_allowed":
        assert error["choices"] == [FRONT, "https://shop.example:8443"]
    assert not Payment.objects.exists()


@pytest.fixture
def stripe_server(settings: Any) -> Iterator[list[dict[str, list[str]]]]:
    """Stripe as far as a payment that needs 3-D Secure; gives the forms that it was sent."""
    asked: list[dict[str, list[str]]] = []

    class Stripe(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            asked.append(form)
            page = {"url": "https://hooks.stripe.com/3d_secure", "return_url": BACK}
            action = (
                {"type": "redirect_to_url", "redirect_to_url": page}
                if "return_url" in form
                else {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
            )
            intent = {
                "id": "pi_1",
                "object": "payment_intent",
                "status": "requires_action",
                "client_secret": "pi_1_secret_2",
                "next_action": action,
            }
            content = json.dumps(intent).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Stripe) as server:
        settings.LAVKA = settings.LAVKA | {
            "PAYMENT_GATEWAYS": {"stripe": "lavka.payments.gateways.stripe.Stripe"},
            "STRIPE": {
                "secret_key": "sk_test_lavka",
                "api_base": f"http://127.0.0.1:{server.server_port}",
            },
        }
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("return_url", "action"),
    [
        (BACK, {"type": "redirect", "url": "https://hooks.stripe.com/3d_secure"}),
        ("", {"type": "stripe", "client_secret": "pi_1_secret_2"}),
    ],
)
def test_stripe_is_told_where_the_customer_comes_back_to(
    stripe_server: list[dict[str, list[str]]], return_url: str, action: dict[str, str]
):
    payment = make_payment(1299, method="stripe", token="pm_1", return_url=return_url)

    outcome = run(flows.authorise, payment_id=payment.pk)

    (form,) = stripe_server
    assert form.get("return_url", [""]) == [return_url]
    assert (outcome.status, outcome.action) == ("requires_action", action)


def test_a_payment_of_an_order_comes_back_too(api: Api):
    payment = make_payment(1000)
    run(flows.authorise, payment_id=payment.pk)

    run(
        flows.pay,
        order_id=payment.order_id,
        means=PaymentInput(method="sandbox", token="requires_action", return_url=BACK),
        key="another",
        actor=SYSTEM,
    )

    assert Payment.objects.latest("id").return_url == BACK
