"""Which events are told to other programs."""

from lavka.kernel.events import subscribe
from lavka.webhooks import rules, tasks

for event in rules.TOLD:
    subscribe(event, tasks.tell_endpoints)
