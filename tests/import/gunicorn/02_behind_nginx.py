# gunicorn behind nginx, on a socket
bind = "unix:/run/gunicorn.sock"
workers = 3
worker_class = "sync"
timeout = 120
accesslog = "-"
errorlog = "-"
loglevel = "info"
forwarded_allow_ips = "*"
