"""Which task follows which event."""

from lavka.accounts.events import AccountClosed
from lavka.inventory.events import StockCameBack
from lavka.kernel.events import subscribe
from lavka.wishlists import tasks

subscribe(StockCameBack, tasks.trigger_alerts)
subscribe(AccountClosed, tasks.forget_customer)
