"""Transaction → the provider, with no transaction open → transaction."""

from lavka.payments.flows.asking import (
    Outcome,
    authorise,
    capture,
    give_back,
    refund,
    resolve,
    void,
)
from lavka.payments.flows.paying import pay
from lavka.payments.flows.reconciling import reconcile
from lavka.payments.flows.sweeping import look_into, sweep

__all__ = [
    "Outcome",
    "authorise",
    "capture",
    "give_back",
    "look_into",
    "pay",
    "reconcile",
    "refund",
    "resolve",
    "sweep",
    "void",
]
