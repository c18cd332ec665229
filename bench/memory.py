#!/usr/bin/python3
"""What one Django project with heavy imports costs in memory, with four workers: Portherd and gunicorn, each with and
without preloading. Of every process of a stack its proportional share (PSS) counts, so that what is shared counts once.

    bench/memory.py [--workers N] [--requests N] [--rounds N]

Measured when all workers are ready and have answered; Portherd's supervisor and front are counted, gunicorn's arbiter,
too. `ready` is how long workers took that were started when the app had been imported once (the second one and
later), from their start until they were ready; gunicorn does not tell. PORTHERD names the program, else build/portherd."""
import argparse
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = "/usr/bin/python3"  # Debian's, which has Django
MIB = 1 << 20

PROJECT = '''
import asyncio, csv, ctypes, decimal, email.mime.multipart, http.client, json, logging.config, multiprocessing, \\
    sqlite3, ssl, statistics, unittest.mock, xml.dom.minidom, xml.sax, xmlrpc.client, zipfile
import django
from django.conf import settings

settings.configure(SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], USE_I18N=True, STATIC_URL="/static/",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib." + name for name in (
        "admin", "auth", "contenttypes", "sessions", "messages", "staticfiles", "sitemaps", "humanize", "syndication")],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {
        "context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
                               "django.contrib.messages.context_processors.messages"]}}])
django.setup()
import django.contrib.admin.sites, django.core.management, django.test, django.views.generic
from django.contrib import admin
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.template import engines
from django.urls import path

page = engines["django"].from_string("{% for i in numbers %}<li>{{ i|date }}{{ i }}</li>{% endfor %}")
urlpatterns = [path("", lambda request: HttpResponse(page.render({"numbers": range(50)}))),
               path("admin/", admin.site.urls)]
application = get_wsgi_application()
'''

CONFIG = '''
[listen]
http = ["127.0.0.1:%d"]
[log]
access = "off"
[apps.site]
directory = "%s"
wsgi = "project:application"
python = "%s"
threads = 4
workers = %d
preload = %s
'''


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def family(pid):
    """The process and all below it."""
    found = [pid]
    for one in found:
        with open("/proc/%d/task/%d/children" % (one, one)) as children:
            found += map(int, children.read().split())
    return found


def held(pid, key="Pss"):
    with open("/proc/%d/smaps_rollup" % pid) as rollup:
        return int(re.search("^%s: +(\\d+) kB" % key, rollup.read(), re.MULTILINE)[1]) * 1024


class Stack:
    def __init__(self, name, workers, folder):
        self.name, self.workers, self.port = name, workers, free_port()
        self.log = open(os.path.join(folder, "log"), "w+")
        preload = "preload" in name
        if name.startswith("portherd"):
            config = os.path.join(folder, "portherd.toml")
            with open(config, "w") as file:
                file.write(CONFIG % (self.port, folder, PYTHON, workers, "true" if preload else "false"))
            command = [os.environ.get("PORTHERD", os.path.join(ROOT, "build", "portherd")), "serve", "-c", config]
            self.ready_line = "worker is ready"
        else:
            command = [PYTHON, "-m", "gunicorn", "-w", str(workers), "-k", "gthread", "--threads", "4", "-b",
                       "127.0.0.1:%d" % self.port, "project:application"] + ["--preload"] * preload
            self.ready_line = "Booting worker"
        self.process = subprocess.Popen(command, cwd=folder, stdout=self.log, stderr=self.log)

    def said(self):
        return os.pread(self.log.fileno(), 1 << 20, 0).decode()

    def measure(self, requests):
        """(PSS of all, of each process, milliseconds until ready)"""
        until = time.monotonic() + 60
        while self.said().count(self.ready_line) < self.workers:
            if self.process.poll() is not None or time.monotonic() > until:
                sys.exit("%s is not ready:\n%s" % (self.name, self.said()))
            time.sleep(0.05)
        for _ in range(requests):
            for place in "/", "/admin/login/":
                urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.port, place)).read()
        each = {pid: held(pid) for pid in family(self.process.pid)}
        ready = [int(one) for one in re.findall(r"worker is ready.*ready \+(\d+)ms", self.said())][1:]
        return sum(each.values()), each, ready

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--requests", type=int, default=200, help="before it is measured, to both pages")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("%-18s %10s   %s" % ("%d workers" % options.workers, "PSS (MiB)", "each process"))
    for name in "portherd", "portherd-preload", "gunicorn", "gunicorn-preload":
        if name.startswith("gunicorn") and shutil.which("gunicorn") is None:
            continue
        sums, times = [], []
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, "project.py"), "w") as file:
                    file.write(PROJECT)
                stack = Stack(name, options.workers, folder)
                try:
                    whole, each, ready = stack.measure(options.requests)
                finally:
                    stack.end()
            sums.append(whole)
            times += ready
        told = " ".join("%.1f" % (one / MIB) for one in each.values())
        if times:
            told += "   ready in %d ms (median of %d, most %d)" % (statistics.median(times), len(times), max(times))
        print("%-18s %10.1f   %s" % (name, statistics.median(sums) / MIB, told), flush=True)


if __name__ == "__main__":
    main()
