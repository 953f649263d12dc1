"""Which task follows which event."""

from lavka.catalog.events import ProductChanged
from lavka.kernel.events import subscribe
from lavka.listing import tasks
from lavka.reviews.events import RatingChanged

subscribe(ProductChanged, tasks.refresh_product)
subscribe(RatingChanged, tasks.refresh_product)
