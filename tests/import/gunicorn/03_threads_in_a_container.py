import os

bind = "0.0.0.0:" + os.environ.get("PORT", "8080")
workers = int(os.environ.get("WEB_CONCURRENCY", 2))
threads = int(os.environ.get("PYTHON_MAX_THREADS", 8))
worker_class = "gthread"
worker_tmp_dir = "/dev/shm"
timeout = 0
keepalive = 65
