"""Checkout: cart → order, the one place that knows prices, stock, payment and orders at once."""
