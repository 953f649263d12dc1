"""The staff's paths and pages for payments."""

import uuid

import pytest
from django.urls import reverse

from lavka.payments import flows
from lavka.payments.models import Operation
from lavka.payments.sandbox.models import Charge
from lavka.web.models import IdempotentRequest
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.payments.factories import make_captured, make_payment, run

pytestmark = pytest.mark.django_db

PART = {"amount": {"amount": 300, "currency": "USD"}}


@pytest.fixture
def staff() -> str:
    return token_of(make_staff())


@pytest.fixture
def authorised(settings):
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": False}
    payment = make_payment(1000)
    run(flows.authorise, payment_id=payment.pk)
    return payment


def test_staff_see_a_payment_with_what_was_asked_of_its_provider(api, staff):
    payment = make_captured(1299)

    shown = api.get(f"/manage/payments/{payment.pk}/", token=staff).json()

    usd = {"currency": "USD"}
    assert shown | {"created_at": "", "operations": []} == {
        "id": str(payment.pk),
        "order_id": str(payment.order_id),
        "method": "sandbox",
        "status": "captured",
        "amount": usd | {"amount": 1299},
        "authorised": usd | {"amount": 1299},
        "captured": usd | {"amount": 1299},
        "refunded": usd | {"amount": 0},
        "voided": usd | {"amount": 0},
        "reason": "",
        "reference": payment.reference,
        "abandoned_at": None,
        "created_at": "",
        "operations": [],
    }
    (operation,) = shown["operations"]
    assert (operation["kind"], operation["state"]) == ("authorise", "succeeded")


def test_the_list_filters_by_state_and_order(api, staff):
    captured, failed = make_captured(), make_payment(token="declined")
    run(flows.authorise, payment_id=failed.pk)

    def listed(query: str) -> list[str]:
        page = api.get(f"/manage/payments/?{query}", token=staff).json()
        return [item["id"] for item in page["items"]]

    assert listed("") == [str(failed.pk), str(captured.pk)]
    assert listed("status=failed") == [str(failed.pk)]
    assert listed(f"order={captured.order_id}") == [str(captured.pk)]
    assert listed(f"order={uuid.uuid4()}") == []


@pytest.mark.parametrize(("query", "pointer"), [("status=gone", "?status"), ("order=7", "?order")])
def test_a_bad_filter_is_refused_by_its_name(api, staff, query, pointer):
    answer = api.get(f"/manage/payments/?{query}", token=staff)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_the_same_queries_for_one_and_for_many(
    api, staff, count, django_assert_num_queries
):
    for _ in range(count):
        make_captured()

    with django_assert_num_queries(3):
        page = api.get("/manage/payments/", token=staff).json()

    assert len(page["items"]) == count


def test_staff_capture_a_part_and_then_the_rest(api, staff, authorised):
    path = f"/manage/payments/{authorised.pk}/capture/"

    part = api.post(path, PART, token=staff)
    rest = api.post(path, token=staff)

    assert [part.json()["captured"]["amount"], rest.json()["captured"]["amount"]] == [300, 1000]


@pytest.mark.parametrize("path", ["capture/", "refund/"])
@pytest.mark.parametrize("body", [b"null", b'""', b"[]"], ids=["null", "text", "list"])
def test_a_body_that_is_no_object_moves_no_money(api, staff, authorised, path: str, body: bytes):
    answer = api.post(
        f"/manage/payments/{authorised.pk}/{path}", body, token=staff, Idempotency_Key="a"
    )

    authorised.refresh_from_db()
    assert (answer.status_code, authorised.captured, authorised.status) == (422, 0, "authorised")


def test_staff_void_what_is_not_captured(api, staff, authorised):
    answer = api.post(f"/manage/payments/{authorised.pk}/void/", token=staff)

    assert (answer.status_code, answer.json()["status"]) == (200, "voided")


def test_staff_refund_and_cannot_refund_more(api, staff):
    path = f"/manage/payments/{make_captured(1000).pk}/refund/"

    def refund(amount: int, key: str):
        body = {"amount": {"amount": amount, "currency": "USD"}}
        return api.post(path, body, token=staff, Idempotency_Key=key)

    first, again, second = refund(300, "a"), refund(300, "a"), refund(300, "b")
    more = refund(401, "c")

    refunded = [each.json()["refunded"]["amount"] for each in (first, again, second)]
    assert (refunded, again["Idempotent-Replayed"]) == ([300, 300, 600], "true")
    assert (more.status_code, more.json()["code"]) == (409, "not_refundable")
    assert more.json()["details"]["available"] == 400


def test_a_refund_needs_a_key(api, staff):
    payment = make_captured(1000)

    answer = api.post(f"/manage/payments/{payment.pk}/refund/", PART, token=staff)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
    assert not Operation.objects.filter(kind="refund").exists()


def test_a_refund_whose_answer_was_lost_with_the_process_is_not_made_again(api, staff):
    """The key of the request is the key of the refund, so it holds beyond the kept answer."""
    payment = make_captured(1000)
    path = f"/manage/payments/{payment.pk}/refund/"
    api.post(path, PART, token=staff, Idempotency_Key="a")
    IdempotentRequest.objects.all().delete()

    again = api.post(path, PART, token=staff, Idempotency_Key="a")

    assert again.json()["refunded"]["amount"] == 300


def test_another_currency_is_refused(api, staff):
    payment = make_captured(1000)

    answer = api.post(
        f"/manage/payments/{payment.pk}/refund/",
        {"amount": {"amount": 1, "currency": "EUR"}},
        token=staff,
        Idempotency_Key="a",
    )

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == ["#/amount/currency"]
    assert not Operation.objects.filter(kind="refund").exists()


def test_a_provider_that_refuses_is_402(api, staff):
    payment = make_captured(1000)
    Charge.objects.update(refunded=1000)

    answer = api.post(
        f"/manage/payments/{payment.pk}/refund/", PART, token=staff, Idempotency_Key="a"
    )

    assert (answer.status_code, answer.json()["code"]) == (402, "payment_declined")
    assert answer.json()["details"]["reason"] == "not_possible"


@pytest.mark.parametrize(
    "body",
    [{"amount": 300}, {"amount": {"amount": 0, "currency": "USD"}}, {"sum": 1}, [],
     {"amount": {"amount": 2**63, "currency": "USD"}}],
)  # fmt: skip
def test_a_bad_amount_is_refused_and_nobody_is_asked(api, staff, body):
    payment = make_captured(1000)

    answer = api.post(
        f"/manage/payments/{payment.pk}/refund/", body, token=staff, Idempotency_Key="a"
    )

    assert answer.status_code == 422
    assert not Operation.objects.filter(kind="refund").exists()


@pytest.mark.parametrize("path", ["", "capture/", "void/", "refund/"])
def test_a_payment_that_is_not_there_is_404(api, staff, path):
    method = "POST" if path else "GET"

    answer = api.request(
        method, f"/manage/payments/{uuid.uuid4()}/{path}", token=staff, Idempotency_Key="a"
    )

    assert answer.status_code == 404


@pytest.mark.parametrize("rights", [(), ("payments.view_payment",)])
def test_moving_money_needs_the_right_for_it(api, rights):
    payment = make_captured(1000)
    user = make_staff(*rights) if rights else make_customer()

    answer = api.post(f"/manage/payments/{payment.pk}/refund/", token=token_of(user))

    payment.refresh_from_db()
    assert (answer.status_code, payment.refunded) == (403, 0)


@pytest.mark.parametrize(
    "model", ["payment", "operation", "providerevent", "ledgerentry"]
)  # fmt: skip
def test_staff_look_at_every_table_in_the_admin_and_change_none(client, model):
    payment = make_captured(1000)
    client.force_login(make_staff())

    listed = client.get(reverse(f"admin:payments_{model}_changelist"))
    added = client.get(reverse(f"admin:payments_{model}_add"))
    shown = client.get(reverse("admin:payments_payment_change", args=[payment.pk]))

    assert (listed.status_code, added.status_code, shown.status_code) == (200, 403, 200)
    assert "10.00 USD" in shown.content.decode()


@pytest.mark.parametrize("model", ["charge", "webhook"])
def test_the_sandboxs_books_are_in_the_admin(client, model):
    make_captured(1000)
    client.force_login(make_staff())

    assert client.get(reverse(f"admin:sandbox_{model}_changelist")).status_code == 200


def test_an_admins_action_asks_the_provider(client):
    payment = make_captured(1000)
    client.force_login(make_staff())

    answer = client.post(
        reverse("admin:payments_payment_changelist"),
        {"action": "refund", "_selected_action": [str(payment.pk)]},
        follow=True,
    )

    payment.refresh_from_db()
    assert answer.status_code == 200
    assert (payment.status, Charge.objects.get().refunded) == ("refunded", 1000)


def test_an_admins_action_that_is_refused_says_why(client):
    payment = make_captured(1000)
    client.force_login(make_staff())

    answer = client.post(
        reverse("admin:payments_payment_changelist"),
        {"action": "void", "_selected_action": [str(payment.pk)]},
        follow=True,
    )

    assert "There is no authorisation left to void." in answer.content.decode()
