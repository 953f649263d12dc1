"""Fulfilment: what leaves the warehouse for an order, and what comes back."""
