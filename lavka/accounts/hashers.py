"""How passwords are kept."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes and one lane.

    Source: OWASP Password Storage Cheat Sheet, "Argon2id"; Django's default of 100 MiB in eight
    lanes would let a few parallel logins exhaust a worker.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
