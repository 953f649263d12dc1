"""What happens to orders and their money, documents follow."""

from lavka.invoices import tasks
from lavka.kernel.events import subscribe
from lavka.orders.events import OrderCancelled, OrderEdited, OrderPlaced
from lavka.payments.events import PaymentCaptured, PaymentRefunded

subscribe(OrderPlaced, tasks.issue)
subscribe(OrderEdited, tasks.issue)
subscribe(OrderCancelled, tasks.issue)
subscribe(PaymentCaptured, tasks.issue)
subscribe(PaymentRefunded, tasks.issue)
