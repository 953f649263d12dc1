"""Is the process alive, and can it serve?"""

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError, InterfaceError
from django.http import HttpRequest, JsonResponse
from psycopg_pool import PoolTimeout

from lavka.kernel.threads import in_thread


async def healthz(request: HttpRequest) -> JsonResponse:
    """Alive: the event loop answers. It asks nobody, so a database fault kills no worker."""
    return JsonResponse({"status": "ok"})


async def readyz(request: HttpRequest) -> JsonResponse:
    """Can serve: the database answers and no migration is missing; else 503 and why."""
    fault = await in_thread(_fault)
    if fault:
        return JsonResponse({"status": "unavailable", "reason": fault}, status=503)
    return JsonResponse({"status": "ok"})


_has_migrated = False


def _fault() -> str | None:
    global _has_migrated  # noqa: PLW0603 - migrations are not taken back under a running server
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _has_migrated:
            executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
            _has_migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError, PoolTimeout):
        return "the database does not answer"
    return None if _has_migrated else "migrations are missing"
