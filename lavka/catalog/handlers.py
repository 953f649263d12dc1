"""Which task follows which event."""

from lavka.catalog import events, tasks
from lavka.kernel.events import subscribe

subscribe(events.ImageAdded, tasks.make_thumbnails)
subscribe(events.ImageRemoved, tasks.remove_files)
subscribe(events.BrandChanged, tasks.announce_brand)
subscribe(events.CategoryChanged, tasks.announce_category)
subscribe(events.AttributeChanged, tasks.announce_attribute)
