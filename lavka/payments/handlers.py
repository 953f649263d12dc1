"""What follows from webhooks, and from what happens to orders."""

from lavka.kernel.events import subscribe
from lavka.orders.events import OrderCancelled, OrderEdited, OrderPlaced
from lavka.payments import tasks
from lavka.payments.events import PaymentCaptured, ProviderSpoke
from lavka.payments.sandbox.events import WebhookDue

subscribe(ProviderSpoke, tasks.look_into)
subscribe(WebhookDue, tasks.deliver_sandbox_webhook)
subscribe(OrderPlaced, tasks.enter_sale)
subscribe(OrderEdited, tasks.enter_sale)
subscribe(OrderCancelled, tasks.enter_sale)
# Money that comes for an order that is cancelled already changes what was sold.
subscribe(PaymentCaptured, tasks.enter_sale)
