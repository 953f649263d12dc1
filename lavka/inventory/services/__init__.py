"""Every write of stock.

Locks are taken in one order: the hold or the order's allocations, then stock levels by variant
and warehouse, then the limits of who asks, then products. Holds of other buyers are only ever
taken with SKIP LOCKED.
"""

from lavka.inventory.services.allocations import (
    allocate_reservation,
    release_allocation,
    return_stock,
    ship_allocation,
)
from lavka.inventory.services.levels import (
    adjust_stock,
    count_stock,
    set_on_hand,
    set_policy,
    transfer_stock,
)
from lavka.inventory.services.reservations import (
    extend_reservation,
    forget_usage,
    purge_usage,
    release_expired,
    release_hold,
    release_reservation,
    reserve_stock,
)
from lavka.inventory.services.warehouses import (
    create_warehouse,
    delete_warehouse,
    update_warehouse,
)

__all__ = [
    "adjust_stock",
    "allocate_reservation",
    "count_stock",
    "create_warehouse",
    "delete_warehouse",
    "extend_reservation",
    "forget_usage",
    "purge_usage",
    "release_allocation",
    "release_expired",
    "release_hold",
    "release_reservation",
    "reserve_stock",
    "return_stock",
    "set_on_hand",
    "set_policy",
    "ship_allocation",
    "transfer_stock",
    "update_warehouse",
]
