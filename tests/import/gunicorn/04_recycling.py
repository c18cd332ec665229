bind = ["127.0.0.1:8000", "[::1]:8000"]
workers = 4
max_requests = 1000
max_requests_jitter = 50
preload_app = True
graceful_timeout = 45
