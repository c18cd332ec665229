bind = "0.0.0.0:80"
worker_class = "uvicorn.workers.UvicornWorker"
wsgi_app = "shop:asgi"
workers = 2
keepalive = 120
graceful_timeout = 120
timeout = 120
