"""Stacks in the application-server role. All the processes of a stack are in
one cgroup, so its cost is the sum of the proxy and the application processes.
{app} is the module that the scenario asks for (wsgi_hello, wsgi_work,
asgi_hello)."""
import os

from benchlib.subjects import BENCH, PORTHERD, Subject

SRC = os.environ.get("BENCH_PEERS_DIR", os.path.join(BENCH, ".build", "peers"))
WSGI = frozenset({"a-hello", "a-work"})
ASGI = frozenset({"a-async"})
HELLO = frozenset({"a-hello"})
PY = {"PYTHONPATH": "{bench}/apps"}
NGINX = ["nginx", "-p", "{work}", "-c", "{work}/nginx.conf", "-e", "{work}/error.log"]
CONF = {"nginx.conf": "nginx-app.conf"}
PROXY = {"app_pass": "proxy_pass http://app;", "app_keepalive": "32"}
CLOSE = {"app_pass": "proxy_pass http://app; proxy_set_header Connection close;", "app_keepalive": "1"}
UWSGI = {"app_pass": "uwsgi_pass app;", "app_keepalive": "1"}

GUNICORN = ["gunicorn", "--workers={workers}", "--backlog=2048", "--log-level=error", "{app}:app"]
UWSGI_CMD = ["uwsgi", "--plugin=python3", "--master", "--processes={workers}", "--listen=1024", "--disable-logging", "--need-app",
             "--pythonpath={bench}/apps", "--module={app}:app", "--die-on-term"]
UVICORN = ["uvicorn", "--workers={workers}", "--loop=uvloop", "--http=httptools", "--no-access-log", "--log-level=error",
           "--timeout-keep-alive=300", "{app}:app"]
PORTHERD_SERVE = [PORTHERD, "serve", "-c", "{work}/portherd.toml"]
PORTHERD_CONF = {"portherd.toml": "portherd-app.toml"}
HYPERCORN = ["hypercorn", "--workers={workers}", "--keep-alive=300", "--log-level=error"]

STACKS = [
    Subject("portherd-wsgi", PORTHERD_SERVE, files=PORTHERD_CONF, vars={"kind": "wsgi", "more": "threads = 4"}, features=WSGI,
            version=[PORTHERD, "version"]),
    Subject("portherd-wsgi-1", PORTHERD_SERVE, files=PORTHERD_CONF, vars={"kind": "wsgi", "more": "threads = 1"}, features=WSGI,
            version=[PORTHERD, "version"], note="one thread a worker"),
    Subject("portherd-asgi", PORTHERD_SERVE, files=PORTHERD_CONF, vars={"kind": "asgi", "more": "concurrency = 100"}, features=ASGI,
            version=[PORTHERD, "version"]),
    Subject("gunicorn-sync", GUNICORN + ["--bind=127.0.0.1:{port}"], features=WSGI, env=PY, version=["gunicorn", "--version"]),
    Subject("gunicorn-gthread", GUNICORN + ["--bind=127.0.0.1:{port}", "--worker-class=gthread", "--threads=4", "--keep-alive=300"],
            features=WSGI, env=PY, version=["gunicorn", "--version"]),
    Subject("nginx+gunicorn-sync", [GUNICORN + ["--bind=unix:{work}/app.sock"], NGINX], files=CONF, vars=CLOSE, features=WSGI, env=PY),
    Subject("nginx+gunicorn-gthread", [GUNICORN + ["--bind=unix:{work}/app.sock", "--worker-class=gthread", "--threads=4",
                                                   "--keep-alive=300"], NGINX], files=CONF, vars=PROXY, features=WSGI, env=PY),
    Subject("uwsgi-http", ["uwsgi", "--plugins=http"] + UWSGI_CMD[1:] + ["--http=127.0.0.1:{port}", "--http-keepalive=300"],
            features=WSGI, version=["uwsgi", "--version"], note="its own HTTP router process in front of the workers"),
    Subject("uwsgi-http-socket", UWSGI_CMD + ["--http-socket=127.0.0.1:{port}", "--add-header=Connection: close"], features=WSGI,
            note="the workers speak HTTP themselves, without keep-alive"),
    Subject("nginx+uwsgi", [UWSGI_CMD + ["--socket={work}/app.sock"], NGINX], files=CONF, vars=UWSGI, features=WSGI),
    Subject("unit", ["sh", "-c", "mkdir -p state && cp unit.json state/conf.json && exec " + SRC + "/unit/sbin/unitd --no-daemon "
                     "--statedir {work}/state --tmpdir {work} --control unix:{work}/c.sock --pid {work}/pid --log {work}/error.log "
                     "--user root --group root --modulesdir " + SRC + "/unit/lib/unit/modules"],
            files={"unit.json": "unit.json"}, features=WSGI | ASGI, version=[SRC + "/unit/sbin/unitd", "--version"]),
    Subject("uvicorn", UVICORN + ["--host=127.0.0.1", "--port={port}"], features=ASGI, env=PY, version=["uvicorn", "--version"]),
    Subject("nginx+uvicorn", [UVICORN + ["--uds={work}/app.sock"], NGINX], files=CONF, vars=PROXY, features=ASGI, env=PY),
    Subject("nginx+gunicorn-uvicorn", [GUNICORN + ["--bind=unix:{work}/app.sock", "--worker-class=uvicorn.workers.UvicornWorker"], NGINX],
            files=CONF, vars=PROXY, features=ASGI, env=PY),
    Subject("hypercorn", HYPERCORN + ["--bind=127.0.0.1:{port}", "{app}:app"], features=ASGI, env=PY),
    Subject("puma", ["puma", "--workers={workers}", "--threads=4:4", "--quiet", "--preload", "--bind=tcp://127.0.0.1:{port}",
                     "{bench}/apps/rack_hello.ru"], features=HELLO, env={"RACK_ENV": "production"}, version=["puma", "--version"]),
    Subject("nginx+puma", [["puma", "--workers={workers}", "--threads=4:4", "--quiet", "--preload", "--bind=unix://{work}/app.sock",
                            "{bench}/apps/rack_hello.ru"], NGINX], files=CONF, vars=PROXY, features=HELLO,
            env={"RACK_ENV": "production"}),
    Subject("node-cluster", ["node", "{bench}/apps/node_hello.js", "{port}", "{workers}"], features=HELLO, version=["node", "--version"]),
    Subject("nginx+node-cluster", [["node", "{bench}/apps/node_hello.js", "{work}/app.sock", "{workers}"], NGINX], files=CONF, vars=PROXY,
            features=HELLO),
]
