"""How the shop runs under gunicorn: `gunicorn --config python:marketplace.gunicorn marketplace.wsgi`."""

from gunicorn.workers.base import Worker

from lazyimages import draining

# Renders in flight have ended long before, unless the storage stalls; then they are made again.
graceful_timeout = 10
# It would be one file for all gunicorns of a user, and nobody asks this shop anything by it.
control_socket_disable = True


def post_worker_init(worker: Worker) -> None:
    """Have SIGTERM refuse new renders, once gunicorn has set its own handlers."""
    draining.on_sigterm()
