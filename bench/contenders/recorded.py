"""Lavka, writing down what it sends to PostgreSQL, into the file that `BENCH_TRACE` names."""

import os
from pathlib import Path

from bench import tracing
from config.asgi import application as application

tracing.write_down(Path(os.environ["BENCH_TRACE"]))
