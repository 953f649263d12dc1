"""Real data where there is some, generated data of the same shape where there is none."""
