"""Which task follows which event."""

from lavka.accounts.events import AccountClosed
from lavka.carts import tasks
from lavka.kernel.events import subscribe

subscribe(AccountClosed, tasks.forget_customer)
