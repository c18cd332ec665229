import logging

wsgi_app = "shop"
workers = 2
log = logging.getLogger("gunicorn.error")


def on_starting(server):
    log.info("starting")


def post_fork(server, worker):
    server.log.info("worker spawned (pid: %s)", worker.pid)


def pre_request(worker, req):
    worker.log.debug("%s %s" % (req.method, req.path))


def worker_abort(worker):
    worker.log.info("worker received SIGABRT signal")


def child_exit(server, worker):
    from prometheus_client import multiprocess
    multiprocess.mark_process_dead(worker.pid)
