"""Peers in the proxy role: an entry for each server that can be measured.

To add one, append a Subject (see benchlib/subjects.py for the placeholders):
    Subject("ours", ["/path/to/our/binary", "--config", "{work}/our.conf"],
            files={"our.conf": "our.conf"}, features={"h1", "tls", "h2", "backend"})
and put templates/our.conf next to the others; or leave this file alone and
pass --subject FILE.json (see README.md).
"""
import os

from benchlib.subjects import BENCH, PORTHERD, Subject

FULL = frozenset({"h1", "tls", "h2", "static", "ws", "upload", "backend", "backend-small", "large"})
# Newer versions built from source, where present: NAME/sbin/... in this directory
SRC = os.environ.get("BENCH_PEERS_DIR", os.path.join(BENCH, ".build", "peers"))

NGINX_OLD = {"access_log": "off", "h2_listen": "http2", "h2_directive": ""}
NGINX_NEW = {"access_log": "off", "h2_listen": "", "h2_directive": "http2 on;"}
NGINX_ARGS = ["-p", "{work}", "-c", "{work}/nginx.conf", "-e", "{work}/error.log"]

OURS = {"portherd.toml": "portherd.toml", "tls/localhost.crt": "{cert}", "tls/localhost.key": "{key}"}

PEERS = [
    Subject("portherd", [PORTHERD, "serve", "-c", "{work}/portherd.toml"], files=OURS,
            features=FULL - {"static"}, version=[PORTHERD, "version"]),
    Subject("portherd-2", [PORTHERD, "serve", "-c", "{work}/portherd.toml"], files=OURS, vars={"workers": 2},
            features=FULL - {"static"}, note="two threads: what they cost each other"),

    # The floors: relay copies bytes; h2floor answers from memory, or asks the backend (floor-h2p: small bodies only).
    Subject("floor", ["{tools}/relay", "{port}", "{backend_socket}"], features=frozenset({"h1", "backend", "upload", "ws"})),
    Subject("floor-ev", ["{tools}/relay-ev", "{port}", "{backend_socket}"], features=frozenset({"h1", "backend", "upload", "ws"}),
            note="floor on libevent"),
    Subject("floor-tls", ["{tools}/relay", "{tls_port}", "{backend_socket}", "{cert}", "{key}"], ready="tls_port",
            features=frozenset({"tls", "backend", "upload"})),
    Subject("floor-h2", ["{tools}/h2floor", "{tls_port}", "{cert}", "{key}"], ready="tls_port",
            features=frozenset({"h2", "large"})),
    Subject("floor-h2p", ["{tools}/h2floor", "{tls_port}", "{cert}", "{key}", "{backend_socket}"], ready="tls_port",
            features=frozenset({"h2", "backend-small"})),

    Subject("nginx", ["nginx"] + NGINX_ARGS, files={"nginx.conf": "nginx.conf"}, vars=NGINX_OLD,
            features=FULL, version=["nginx", "-v"]),
    Subject("nginx-2", ["nginx"] + NGINX_ARGS, files={"nginx.conf": "nginx.conf"}, vars=dict(NGINX_OLD, workers=2),
            features=FULL, version=["nginx", "-v"], note="two processes, which share nothing: what the machine takes for a second one"),
    Subject("nginx-log", ["nginx"] + NGINX_ARGS, files={"nginx.conf": "nginx.conf"},
            vars=dict(NGINX_OLD, access_log="{work}/access.log"), features=FULL, version=["nginx", "-v"],
            note="nginx with its access log on, unbuffered (the default)"),
    Subject("haproxy", ["haproxy", "-db", "-f", "{work}/haproxy.cfg"], files={"haproxy.cfg": "haproxy.cfg"},
            vars={"haproxy_defaults": ""}, features=FULL - {"static"}, version=["haproxy", "-v"]),
    Subject("nghttpx", ["nghttpx", "--conf=/dev/null", "--frontend=127.0.0.1,{port};no-tls", "--frontend=127.0.0.1,{tls_port}",
                        "--backend=unix:{backend_socket}", "--workers={workers}", "--single-process", "--no-ocsp", "--backlog=4096",
                        "--add-x-forwarded-for", "--errorlog-file={work}/error.log", "--accesslog-file=",
                        "--frontend-http2-max-concurrent-streams=256", "--frontend-keep-alive-timeout=300s",
                        "--frontend-http2-read-timeout=300s", "--frontend-read-timeout=300s",
                        "--backend-keep-alive-timeout=60s", "{key}", "{cert}"],
            features=FULL - {"static"}, version=["nghttpx", "--version"]),
    Subject("h2o", ["h2o", "-c", "{work}/h2o.conf"], files={"h2o.conf": "h2o.conf"},
            vars={"h2o_ws": "proxy.websocket: ON", "h2o_global": ""}, features=FULL, version=["h2o", "--version"]),
    Subject("caddy", ["caddy", "run", "--config", "{work}/Caddyfile", "--adapter", "caddyfile"],
            files={"Caddyfile": "Caddyfile"}, env={"GOMAXPROCS": "{workers}", "HOME": "{work}"}, features=FULL,
            version=["caddy", "version"]),
    Subject("apache2", ["apache2", "-D", "FOREGROUND", "-f", "{work}/apache2.conf"], files={"apache2.conf": "apache2.conf"},
            features=FULL, version=["apache2", "-v"], note="event MPM, one process of 128 threads"),
    Subject("lighttpd", ["lighttpd", "-D", "-f", "{work}/lighttpd.conf"], files={"lighttpd.conf": "lighttpd.conf"},
            features=FULL, version=["lighttpd", "-v"], note="its mod_proxy makes a backend connection per request"),
    Subject("hitch", ["hitch", "--config={work}/hitch.conf"], files={"hitch.conf": "hitch.conf"}, ready="tls_port",
            features=frozenset({"tls", "backend", "upload"}), version=["hitch", "--version"], note="TLS only, no HTTP parsing"),

    # Built from source
    Subject("nginx-new", [SRC + "/nginx/sbin/nginx"] + NGINX_ARGS, files={"nginx.conf": "nginx.conf"}, vars=NGINX_NEW,
            features=FULL, version=[SRC + "/nginx/sbin/nginx", "-v"]),
    Subject("haproxy-new", [SRC + "/haproxy/sbin/haproxy-3.4", "-db", "-f", "{work}/haproxy.cfg"],
            files={"haproxy.cfg": "haproxy.cfg"}, vars={"haproxy_defaults": ""}, features=FULL - {"static"},
            version=[SRC + "/haproxy/sbin/haproxy-3.4", "-v"]),
    Subject("h2o-new", [SRC + "/h2o/bin/h2o", "-c", "{work}/h2o.conf"], files={"h2o.conf": "h2o.conf"},
            vars={"h2o_ws": "proxy.tunnel: ON", "h2o_global": ""}, features=FULL, version=[SRC + "/h2o/bin/h2o", "--version"],
            env={"H2O_ROOT": SRC + "/h2o"}),
]
