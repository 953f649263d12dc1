"""A large shop to measure: as many products and reviews as wanted, the same rows every time."""
