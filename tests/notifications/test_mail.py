"""Mail: what it says, in whose language, and that it comes once."""

from collections import Counter
from datetime import timedelta
from email.message import EmailMessage
from smtplib import SMTPServerDisconnected
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.core import mail
from django.db import OperationalError
from django.utils import timezone

from lavka.accounts.events import (
    CustomerRegistered,
    PasswordChanged,
    PasswordResetRequested,
    RegistrationRepeated,
    VerificationRequested,
)
from lavka.kernel import events
from lavka.notifications import flows, services, tasks
from lavka.notifications.errors import MailInFlight
from lavka.notifications.models import SentMail
from tests.accounts.factories import PASSWORD, make_customer, make_staff
from tests.racing import race

pytestmark = pytest.mark.django_db

Kind = SentMail.Kind


def send(kind: Kind, user, event_id: UUID | None = None) -> UUID:
    event_id = event_id or uuid4()
    flows.mail_user(kind=kind, event_id=event_id, user_id=user.pk)
    return event_id


def only_mail() -> EmailMessage:
    (message,) = mail.outbox
    return message


def html_of(message) -> str:
    (alternative,) = message.alternatives
    assert alternative.mimetype == "text/html"
    return alternative.content


def test_a_registration_is_followed_by_a_mail_whose_token_verifies(api):
    user = make_customer(email="ada@example.com")

    event_id = send(Kind.VERIFY_EMAIL, user)

    message = only_mail()
    assert message.subject == "Confirm your e-mail address"
    assert message.to == ["ada@example.com"]
    assert message.extra_headers["Message-ID"] == f"<{event_id}.verify_email@localhost>"
    link, token = message.body.split("\n\n")[1], message.body.split("\n\n")[3]
    assert link.startswith("http://127.0.0.1:8000/verify-email?token=")
    assert f'href="{link}"' in html_of(message)
    assert token in html_of(message)
    assert api.post("/auth/verify-email/", {"token": token}).status_code == 204
    record = SentMail.objects.get()
    assert (record.event_id, record.kind, record.user) == (event_id, "verify_email", user)
    assert record.sent_at is not None


def test_the_mail_is_in_the_customers_language(settings):
    settings.LAVKA = settings.LAVKA | {"SHOP_NAME": "Лавка & Ко"}
    user = make_customer(language="ru")

    send(Kind.VERIFY_EMAIL, user)

    message = only_mail()
    assert message.subject == "Подтвердите адрес почты"
    assert message.body.startswith("Добро пожаловать в Лавка & Ко! Подтвердите")
    assert '<html lang="ru">' in html_of(message)
    assert "Лавка &amp; Ко" in html_of(message)


@pytest.mark.parametrize(
    ("kind", "language", "subject", "page"),
    [
        (Kind.ACCOUNT_EXISTS, "en", "You already have an account", "/forgot-password"),
        (Kind.ACCOUNT_EXISTS, "ru", "У вас уже есть учётная запись", "/forgot-password"),
        (Kind.RESET_PASSWORD, "en", "Set a new password", "/reset-password?token="),
        (Kind.RESET_PASSWORD, "ru", "Задайте новый пароль", "/reset-password?token="),
        (Kind.PASSWORD_CHANGED, "en", "Your password was changed", "/forgot-password"),
        (Kind.PASSWORD_CHANGED, "ru", "Ваш пароль изменён", "/forgot-password"),
        (Kind.PASSWORD_CHANGED, "de", "Your password was changed", "/forgot-password"),
    ],
)
def test_each_kind_has_its_words(kind, language, subject, page):
    user = make_customer(language=language)

    send(kind, user)

    message = only_mail()
    assert message.subject == subject
    assert user.email in message.body
    assert f"http://127.0.0.1:8000{page}" in message.body
    assert f'<a href="http://127.0.0.1:8000{page}' in html_of(message)


def test_the_name_of_a_stranger_is_not_in_the_mail():
    user = make_customer(name="Win a prize at https://evil.example")

    send(Kind.VERIFY_EMAIL, user)

    assert "evil.example" not in only_mail().body + html_of(only_mail())


def test_the_token_of_a_reset_mail_resets(api):
    user = make_customer()
    send(Kind.RESET_PASSWORD, user)

    token = only_mail().body.split("\n\n")[3]
    answer = api.post("/auth/password/reset/", {"token": token, "password": "another secret"})

    assert answer.status_code == 204
    user.refresh_from_db()
    assert not user.check_password(PASSWORD)


def test_an_event_is_mailed_once_however_often_its_task_runs():
    user = make_customer()
    event_id = uuid4()
    for _ in range(3):
        tasks.send_password_changed(event_id=str(event_id), user_id=str(user.pk), newer="field")

    tasks.send_password_changed(event_id=str(uuid4()), user_id=str(user.pk))

    assert len(mail.outbox) == 2
    assert SentMail.objects.filter(sent_at=None).count() == 0


def test_nobody_closed_and_verified_get_no_mail():
    closed = make_customer(is_active=False)
    verified = make_customer(email_verified_at=timezone.now())

    tasks.send_password_reset(event_id=str(uuid4()), user_id=str(uuid4()))
    send(Kind.RESET_PASSWORD, closed)
    send(Kind.VERIFY_EMAIL, verified)

    assert mail.outbox == []
    assert not SentMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_parallel_deliveries_of_one_event_send_one_mail():
    user = make_customer()
    event_id = uuid4()

    outcomes = race(lambda: send(Kind.RESET_PASSWORD, user, event_id), times=8)

    assert len(mail.outbox) == 1
    assert set(outcomes) <= {event_id, MailInFlight}
    assert SentMail.objects.get().sent_at is not None


@pytest.mark.django_db(transaction=True)
def test_control_looking_first_lets_every_delivery_send():
    event_id = uuid4()
    looked = Barrier(8)

    def look_then_send() -> bool:
        is_new = not SentMail.objects.filter(event_id=event_id).exists()
        looked.wait(timeout=20)
        return is_new

    assert Counter(race(look_then_send, times=8)) == {True: 8}


@pytest.mark.parametrize(
    ("backend", "fault"), [("HangingUp", SMTPServerDisconnected), ("Babbling", ValueError)]
)
def test_a_mail_server_that_misbehaves_may_be_asked_again(settings, backend, fault):
    user = make_customer()
    event_id = uuid4()
    settings.MAILERS = {"default": {"BACKEND": f"tests.notifications.backends.{backend}"}}
    with pytest.raises(fault):
        send(Kind.RESET_PASSWORD, user, event_id)
    waiting = SentMail.objects.get()
    assert (waiting.claimed_at, waiting.sent_at) == (None, None)

    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    send(Kind.RESET_PASSWORD, user, event_id)

    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_is_out_is_recorded_though_the_database_went_away(settings):
    user = make_customer()
    settings.MAILERS = {"default": {"BACKEND": "tests.notifications.backends.LosingTheDatabase"}}

    send(Kind.RESET_PASSWORD, user)

    assert len(mail.outbox) == 1
    assert SentMail.objects.get().sent_at is not None


def test_a_mail_whose_sender_died_is_sent_when_the_claim_has_run_out():
    user = make_customer()
    event_id = uuid4()
    claim = {"event_id": event_id, "kind": Kind.RESET_PASSWORD, "user_id": user.pk}
    services.claim_mail(**claim, at=timezone.now())
    with pytest.raises(MailInFlight):
        send(Kind.RESET_PASSWORD, user, event_id)
    assert mail.outbox == []

    SentMail.objects.update(claimed_at=timezone.now() - timedelta(minutes=3))
    send(Kind.RESET_PASSWORD, user, event_id)

    assert len(mail.outbox) == 1


def test_tasks_ask_again_for_half_an_hour_and_are_acknowledged_late():
    for task in (
        tasks.send_verification,
        tasks.send_account_exists,
        tasks.send_password_reset,
        tasks.send_password_changed,
    ):
        assert task.acks_late is True
        assert {OSError, MailInFlight, OperationalError} <= set(task.autoretry_for)
        assert (task.max_retries, task.retry_backoff_max) == (60, 60)


@pytest.mark.parametrize(
    ("event", "task"),
    [
        (CustomerRegistered, "notifications.send_verification"),
        (VerificationRequested, "notifications.send_verification"),
        (RegistrationRepeated, "notifications.send_account_exists"),
        (PasswordResetRequested, "notifications.send_password_reset"),
        (PasswordChanged, "notifications.send_password_changed"),
    ],
)
def test_each_event_is_followed_by_its_mail(event, task):
    assert task in [handler.name for handler in events.handlers_of(event.name)]


def test_old_records_go_and_new_ones_stay():
    user = make_customer()
    at = timezone.now()
    for days in (91, 89):
        SentMail.objects.create(
            event_id=uuid4(),
            kind=Kind.VERIFY_EMAIL,
            user=user,
            claimed_at=at - timedelta(days=days),
        )

    tasks.purge_sent_mail()

    assert SentMail.objects.get().claimed_at == at - timedelta(days=89)


def test_staff_see_what_was_mailed_and_change_nothing(client):
    send(Kind.ACCOUNT_EXISTS, make_customer())
    client.force_login(make_staff())

    listed = client.get("/admin/notifications/sentmail/?q=example")
    added = client.get("/admin/notifications/sentmail/add/")

    assert (listed.status_code, added.status_code) == (200, 403)
