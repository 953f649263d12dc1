"""The benchmark: Lavka beside the recipes that teams write today, and beside the limit."""
