from math import ceil

worker_class = "gevent"
workers = ceil(1.5)
worker_connections = 1000
reload = True
sendfile = False
spew = False
