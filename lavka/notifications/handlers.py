"""Which events are followed by which mail."""

from lavka.accounts.events import (
    CustomerRegistered,
    EmailChanged,
    EmailChangeRequested,
    PasswordChanged,
    PasswordResetRequested,
    RegistrationRepeated,
    SignInLinkRequested,
    VerificationRequested,
)
from lavka.fulfilment.events import ReturnChanged, ShipmentSent
from lavka.kernel.events import subscribe
from lavka.notifications import tasks
from lavka.orders.events import OrderCancelled, OrderPlaced
from lavka.payments.events import PaymentRefunded
from lavka.wishlists.events import AlertTriggered

subscribe(CustomerRegistered, tasks.send_verification)
subscribe(VerificationRequested, tasks.send_verification)
subscribe(RegistrationRepeated, tasks.send_account_exists)
subscribe(PasswordResetRequested, tasks.send_password_reset)
subscribe(SignInLinkRequested, tasks.send_sign_in_link)
subscribe(PasswordChanged, tasks.send_password_changed)
subscribe(EmailChangeRequested, tasks.send_email_change)
subscribe(EmailChangeRequested, tasks.send_email_change_requested)
subscribe(EmailChanged, tasks.send_email_changed)
subscribe(OrderPlaced, tasks.send_order_placed)
subscribe(ShipmentSent, tasks.send_order_shipped)
subscribe(OrderCancelled, tasks.send_order_cancelled)
subscribe(PaymentRefunded, tasks.send_order_refunded)
subscribe(ReturnChanged, tasks.send_return_changed)
subscribe(AlertTriggered, tasks.send_back_in_stock)
