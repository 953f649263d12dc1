"""A mailbox that nobody has proved to be theirs gets so many mails a day."""

import datetime
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from lavka.accounts.models import EmailChange, Mailbox, User
from lavka.accounts.rules import mailbox_of
from lavka.notifications import flows, services
from lavka.notifications.models import SentMail
from lavka.notifications.rules import purpose_of
from lavka.orders.models import Order
from lavka.payments.models import Payment
from tests.accounts.factories import make_customer, make_email_change, make_staff
from tests.inventory.factories import make_stock
from tests.orders.factories import make_order
from tests.payments.factories import make_payment, order_of
from tests.racing import race

pytestmark = pytest.mark.django_db

Kind = SentMail.Kind
NOW = timezone.now()


@pytest.fixture(autouse=True)
def _few(settings) -> None:
    budget = {"account": 3, "recovery": 3, "order": 3, "alert": 3}
    settings.LAVKA = settings.LAVKA | {"MAILS_A_DAY": budget}


def confirm(order: Order, event_id: uuid.UUID | None = None) -> None:
    flows.mail_buyer(kind=Kind.ORDER_PLACED, event_id=event_id or uuid.uuid4(), order_id=order.pk)


@pytest.mark.parametrize(
    ("spelled", "mailbox"),
    [
        ("Ada@Example.com", "ada@example.com"),
        ("ada+shop@example.com", "ada@example.com"),
        ("ada+a+b@example.com", "ada@example.com"),
        ("ada+@example.com", "ada@example.com"),
        ("+ada@example.com", "+ada@example.com"),
        ("+a+b@example.com", "+a+b@example.com"),
        ("+a.b+c@gmail.com", "+ab+c@gmail.com"),
        ("a.d.a@example.com", "a.d.a@example.com"),
        ("A.D.a+x@gmail.com", "ada@gmail.com"),
        ("a.da@googlemail.com", "ada@gmail.com"),
        ("a.da+x@gmail.com.example", "a.da@gmail.com.example"),
        ("ada+x@notgmail.com", "ada@notgmail.com"),
        ('"a@d+a"@example.com', '"a@d@example.com'),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_a_mailbox_has_many_spellings(spelled: str, mailbox: str):
    make_customer(email=spelled)

    assert mailbox_of(spelled) == mailbox
    assert User.objects.values_list(Mailbox("email"), flat=True).get() == mailbox


def test_every_kind_of_mail_has_a_budget():
    assert {purpose_of(kind) for kind in Kind.values} == {"account", "recovery", "order", "alert"}


def test_strangers_mail_somebody_so_often_however_they_spell_it():
    orders = [make_order(email=f"ada+{number}@example.com") for number in range(5)]

    for order in orders:
        confirm(order)

    assert len(mail.outbox) == 3
    assert SentMail.objects.exclude(suppressed_at=None).count() == 2


def test_what_was_not_sent_stays_unsent_and_what_was_is_not_sent_twice():
    orders = [make_order(email="ada@example.com") for _ in range(4)]
    events = {order: uuid.uuid4() for order in orders}

    for _ in range(2):
        for order, event_id in events.items():
            confirm(order, event_id)

    assert len(mail.outbox) == 3


def test_a_new_day_brings_new_mail():
    orders = [make_order(email="ada@example.com") for _ in range(4)]
    for order in orders[:3]:
        confirm(order)
    SentMail.objects.update(claimed_at=NOW - datetime.timedelta(days=1))

    confirm(orders[3])

    assert len(mail.outbox) == 4


def test_whoever_pays_gets_every_mail():
    for _ in range(5):
        order = make_order(email="ada@example.com")
        Order.objects.filter(pk=order.pk).update(captured_amount=100)
        confirm(order)

    assert len(mail.outbox) == 5


@pytest.mark.parametrize(("method", "sent"), [("sandbox", 5), ("invoice", 3)])
def test_a_card_that_was_accepted_is_as_good_as_money(method: str, sent: int):
    for _ in range(5):
        order = order_of(1000, email="ada@example.com")
        payment = make_payment(order_id=order.pk, method=method, token="success")
        Payment.objects.filter(pk=payment.pk).update(status="authorised", authorised=1000)
        confirm(order)

    assert len(mail.outbox) == sent


@pytest.mark.parametrize(("is_verified", "sent"), [(True, 5), (False, 3)])
def test_alerts_of_whoever_has_proved_nothing_are_few(is_verified: bool, sent: int):
    ada = make_customer(email_verified_at=NOW if is_verified else None)
    for _ in range(5):
        variant = make_stock(1)
        flows.mail_waiting(event_id=uuid.uuid4(), user_id=ada.pk, variant_id=variant.pk)

    assert len(mail.outbox) == sent


def test_many_accounts_of_one_mailbox_are_verified_so_often():
    for number in range(5):
        ada = make_customer(email=f"ada+{number}@example.com")
        for _ in range(2):
            flows.mail_user(kind=Kind.VERIFY_EMAIL, event_id=uuid.uuid4(), user_id=ada.pk)

    assert len(mail.outbox) == 3


@pytest.mark.parametrize(("is_verified", "sent"), [(True, 5), (False, 3)])
def test_a_customer_who_has_proved_their_address_gets_every_mail(is_verified: bool, sent: int):
    at = NOW if is_verified else None
    ada = make_customer(email="ada@example.com", email_verified_at=at)

    for _ in range(5):
        confirm(make_order(email="ada@example.com", customer=ada))

    assert len(mail.outbox) == sent


def test_a_proved_address_vouches_for_no_other():
    ada = make_customer(email="ada@example.com", email_verified_at=NOW)

    for _ in range(5):
        confirm(make_order(email="grace@example.com", customer=ada))

    assert len(mail.outbox) == 3


def reaches(user: User, kind: Kind) -> bool:
    """Whether the user gets it."""
    event_id = uuid.uuid4()
    flows.mail_user(kind=kind, event_id=event_id, user_id=user.pk)
    return SentMail.objects.filter(event_id=event_id, suppressed_at=None).exists()


def test_orders_leave_room_for_a_new_password():
    ada = make_customer(email="ada@example.com")
    for _ in range(5):
        confirm(make_order(email="ada@example.com"))

    assert sum(reaches(ada, Kind.PASSWORD_CHANGED) for _ in range(5)) == 3
    assert reaches(ada, Kind.RESET_PASSWORD)


RECOVERY = [Kind.RESET_PASSWORD, Kind.SIGN_IN]


@pytest.mark.parametrize("kind", RECOVERY)
@pytest.mark.parametrize("make", [make_customer, make_staff])
def test_nobody_uses_up_the_ways_back_into_an_account_that_is_not_verified(
    make: Callable[..., User], kind: Kind
):
    ada = make(email="ada@example.com")

    assert all(reaches(ada, kind) for _ in range(8))


@pytest.mark.parametrize("kind", RECOVERY)
@pytest.mark.parametrize(
    ("owns", "others"),
    [
        ("ada@example.com", "ada+{}@example.com"),
        ("ada+shop@example.com", "ada+{}@example.com"),
        ("ada.love@gmail.com", "adalov.e+{}@googlemail.com"),
    ],
)
def test_whoever_registers_other_spellings_uses_up_nobodys_ways_back(
    owns: str, others: str, kind: Kind
):
    ada = make_customer(email=owns)
    strangers = [make_customer(email=others.format(number)) for number in range(5)]

    reached = [reaches(each, each_kind) for each in strangers for each_kind in RECOVERY]

    assert sum(reached) == 3
    assert all(reaches(ada, kind) for _ in range(5))


@pytest.mark.parametrize(
    "fields", [{"email_verified_at": NOW}, {"is_staff": True}, {"is_superuser": True}]
)
def test_a_spelling_that_came_later_is_free_once_it_is_known_whose_it_is(fields: dict[str, Any]):
    for number in range(5):
        reaches(make_customer(email=f"ada+{number}@example.com"), Kind.SIGN_IN)
    ada = make_customer(email="ada+shop@example.com")
    assert [reaches(ada, kind) for kind in RECOVERY] == [False, False]

    User.objects.filter(pk=ada.pk).update(**fields)

    assert [reaches(ada, kind) for kind in RECOVERY] == [True, True]


def test_the_plain_spelling_is_free_though_others_came_before():
    for number in range(5):
        reaches(make_customer(email=f"ada+{number}@example.com"), Kind.SIGN_IN)

    assert reaches(make_customer(email="ada@example.com"), Kind.SIGN_IN)


def test_nobody_hides_a_change_of_password_by_registering_other_spellings():
    ada = make_customer(email="ada+shop@example.com")
    for number in range(5):
        reaches(make_customer(email=f"ada+{number}@example.com"), Kind.VERIFY_EMAIL)
        reaches(make_customer(email=f"ada+x{number}@example.com"), Kind.PASSWORD_CHANGED)

    assert sum(reaches(ada, Kind.PASSWORD_CHANGED) for _ in range(5)) == 3


def test_wishes_for_another_address_are_told_of_so_often_and_spend_nobody_elses_mail():
    ada, *others = [make_customer(email=f"ada{tag}@example.com") for tag in ("", "+1", "+2", "+3")]
    changes = [make_email_change(user, f"eve-{user.pk}@example.com") for user in (ada, *others)]

    def tell(change: EmailChange) -> None:
        flows.mail_email_change(
            kind=Kind.EMAIL_CHANGE_REQUESTED,
            event_id=uuid.uuid4(),
            user_id=change.user_id,
            change_id=change.pk,
        )

    for change in changes[1:] * 2:
        tell(change)
    assert len(mail.outbox) == 3
    for _ in range(5):
        tell(changes[0])

    assert len(mail.outbox) == 6
    assert reaches(ada, Kind.SIGN_IN)


def test_records_of_what_was_not_sent_are_purged():
    for _ in range(4):
        confirm(make_order(email="ada@example.com"))

    assert services.purge_sent_mail(before=timezone.now() + datetime.timedelta(days=1)) == 4


def claim_at_once() -> int:
    """How many of eight mails to one mailbox are claimed at once."""
    orders = iter([make_order(email="ada@example.com") for _ in range(8)])

    def claim() -> bool:
        return services.claim_mail(
            event_id=uuid.uuid4(),
            kind=Kind.ORDER_PLACED,
            order_id=next(orders).pk,
            mailbox="a",
            at=NOW,
        )

    return sum(outcome is True for outcome in race(claim, times=8))


@pytest.mark.django_db(transaction=True)
def test_mails_at_once_stay_within_the_budget():
    assert claim_at_once() == 3


@pytest.mark.django_db(transaction=True)
def test_control_mails_at_once_exceed_a_budget_that_nobody_locks(monkeypatch):
    """Instead of taking turns, all count before anybody goes on."""
    meeting, count = threading.Barrier(8), services.count_sent

    def count_together(*given: Any, **named: Any) -> int:
        counted = count(*given, **named)
        meeting.wait(timeout=60)
        return counted

    monkeypatch.setattr(services, "lock_mailbox", lambda _mailbox: None)
    monkeypatch.setattr(services, "count_sent", count_together)

    assert claim_at_once() == 8
