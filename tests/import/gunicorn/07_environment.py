import os

chdir = os.path.dirname(os.path.abspath(__file__))
pythonpath = chdir
raw_env = ["DJANGO_SETTINGS_MODULE=shop.settings", "SECRET=a \"quoted\" one"]
umask = 0o007
pidfile = "/run/shop.pid"
proc_name = "shop"
daemon = False
workers = 1
