"""What follows from payments, cancellations and edits."""

from lavka.checkout import tasks
from lavka.kernel.events import subscribe
from lavka.orders.events import OrderCancelled, OrderEdited, OrderFulfilled
from lavka.payments.events import PaymentAuthorised, PaymentCaptured

subscribe(PaymentAuthorised, tasks.finish)
subscribe(PaymentCaptured, tasks.finish)
subscribe(OrderCancelled, tasks.return_money)
subscribe(PaymentCaptured, tasks.forget_unpaid)
subscribe(OrderCancelled, tasks.forget_unpaid)
subscribe(OrderFulfilled, tasks.forget_unpaid)
subscribe(OrderEdited, tasks.refund_surplus)
