"""Commands that look after the catalogue."""
