bind = "localhost:5000"
accesslog = "access.log"
access_log_format = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s %(D)s'
errorlog = "error.log"
loglevel = "WARNING"
capture_output = True
logconfig_dict = {"version": 1, "disable_existing_loggers": False}
statsd_host = "localhost:8125"
