"""Which task follows which event."""

from lavka.kernel.events import subscribe
from lavka.orders.events import OrderCancelled, OrderEdited, OrderPlaced
from lavka.reviews.events import ReviewChanged
from lavka.reviews.tasks import count_review, verify_purchases

subscribe(ReviewChanged, count_review)
subscribe(OrderPlaced, verify_purchases)
subscribe(OrderEdited, verify_purchases)
subscribe(OrderCancelled, verify_purchases)
