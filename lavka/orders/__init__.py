"""Orders: what was bought, for how much, and everything that happened to it since."""
