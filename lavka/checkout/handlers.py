"""What follows from payments, cancellations and edits."""

from lavka.checkout import tasks
from lavka.kernel.events import subscribe
from lavka.orders.events import OrderCancelled, OrderEdited
from lavka.payments.events import PaymentAuthorised, PaymentCaptured

subscribe(PaymentAuthorised, tasks.finish)
subscribe(PaymentCaptured, tasks.finish)
subscribe(OrderCancelled, tasks.return_money)
subscribe(OrderEdited, tasks.refund_surplus)
