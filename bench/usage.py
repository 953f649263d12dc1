"""What processes cost: CPU seconds of whole trees, the dead included, and resident memory."""

import contextlib
import statistics
from dataclasses import dataclass

import psutil

BYTES_PER_MB = 1024 * 1024


@dataclass(frozen=True)
class Usage:
    """CPU seconds that the trees have used since they began."""

    app: float
    postgres: float

    def since(self, before: "Usage") -> "Usage":
        """What was used between two readings."""
        return Usage(self.app - before.app, self.postgres - before.postgres)


def usage_of(app: int, postmaster: int) -> Usage:
    """Read both trees now; the arguments are the process ids of their roots."""
    return Usage(cpu_seconds(app), cpu_seconds(postmaster))


def cpu_seconds(root: int) -> float:
    """User and system time of a process and all its descendants.

    A child that has ended counts through its parent, which has waited for it.
    """
    total = 0.0
    for process in _tree(root):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def worker_rss_mb(root: int) -> float:
    """Resident memory of a worker, the median of them: the root's children, or itself alone."""
    workers = psutil.Process(root).children() or [psutil.Process(root)]
    sizes = []
    for worker in workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            sizes.append(worker.memory_info().rss / BYTES_PER_MB)
    return statistics.median(sizes)


def _tree(root: int) -> list[psutil.Process]:
    process = psutil.Process(root)
    return [process, *process.children(recursive=True)]
