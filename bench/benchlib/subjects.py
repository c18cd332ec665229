"""Subjects: servers under test. An entry of the table says how to configure
and start one; this module starts it in a cgroup, waits until it is ready, and
stops it again.

Placeholders understood in `start`, `env` and the config templates:
  {port}            plaintext HTTP/1.1 listener
  {tls_port}        TLS listener with ALPN h2 and http/1.1
  {backend_socket}  Unix socket of the backend       {backend_port} its TCP port
  {cert} {key}      PEM files (ECDSA P-256, or RSA-2048 where the scenario says so)
  {pem}             certificate and key in one file
  {docroot}         directory with 1k.bin and 100k.bin under static/
  {work}            a fresh directory for this run
  {workers}         workers or threads to use (1 in the proxy scenarios)
  {bench}           the directory of the harness      {tools} its built tools
  and whatever `vars` adds.
PORTHERD is the program of this project: $PORTHERD, or build/portherd.
In templates the braces of the config's own syntax stay as they are: only the
known names are replaced.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

from . import measure

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PORTHERD = os.path.abspath(os.environ.get("PORTHERD", os.path.join(BENCH, "..", "build", "portherd")))


@dataclass
class Subject:
    name: str
    start: list                      # one command, or a list of commands (all in one cgroup)
    files: dict = field(default_factory=dict)     # {file in {work}: template in templates/, or a placeholder for a file as it is}
    features: frozenset = frozenset()             # of FEATURES; scenarios ask for some
    env: dict = field(default_factory=dict)
    vars: dict = field(default_factory=dict)
    version: list = None                          # command that prints the version
    ready: str = "port"                           # "port", "tls_port", or "unix:PATH"
    note: str = ""
    stop_signal: int = signal.SIGTERM

    def available(self):
        cmds = self.commands() + ([self.version] if self.version else [])
        return all(shutil.which(c[0]) or "{" in c[0] for c in cmds)

    def commands(self):
        return self.start if isinstance(self.start[0], (list, tuple)) else [self.start]


FEATURES = ("h1", "tls", "h2", "static", "ws", "upload", "backend", "backend-small", "large", "a-hello", "a-work", "a-async")


def fill(text, values):
    return re.sub(r"\{([a-z_0-9]+)\}", lambda m: str(values[m.group(1)]) if m.group(1) in values else m.group(0), text)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Running:
    """A started subject. Use as a context manager."""

    def __init__(self, subject, values, cpus=None, wrapper=None):
        self.subject = subject
        self.work = tempfile.mkdtemp(prefix="bench-%s-" % subject.name)
        os.chmod(self.work, 0o755)
        self.port, self.tls_port = free_port(), free_port()
        self.values = dict(values, port=self.port, tls_port=self.tls_port, work=self.work, bench=BENCH)
        self.values.update({k: fill(str(v), self.values) for k, v in subject.vars.items()})
        self.group = measure.Group(subject.name)
        self.procs = []
        self.log = open(os.path.join(self.work, "output.log"), "w")
        for target, template in subject.files.items():
            self._write(target, template)
        env = dict(os.environ, **{k: fill(v, self.values) for k, v in subject.env.items()})

        def child():
            os.setsid()
            self.group.enter()
            if cpus is not None:
                os.sched_setaffinity(0, cpus)

        try:
            for cmd in subject.commands():
                argv = [fill(a, self.values) for a in cmd]
                p = subprocess.Popen((wrapper or []) + argv, cwd=self.work, env=env, preexec_fn=child,
                                     stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
                self.procs.append(p)
                self.group.root_pids.append(p.pid)
            self._wait_ready(60 if wrapper else 20)
        except BaseException:
            self.stop()
            raise

    def _write(self, target, template):
        """A template is filled in; {cert}, {key} and the like name a file that is copied as it is."""
        source = fill(template, self.values)
        out = os.path.join(self.work, target)
        os.makedirs(os.path.dirname(out), exist_ok=True)
        if os.path.isabs(source):
            shutil.copy(source, out)
            return
        with open(os.path.join(BENCH, "templates", source)) as f:
            text = fill(f.read(), self.values)
        with open(out, "w") as f:
            f.write(text)

    def _wait_ready(self, limit):
        target = fill(self.subject.ready, self.values)
        end = time.monotonic() + limit
        while True:
            for p in self.procs:
                if p.poll() not in (None, 0):
                    raise RuntimeError("%s exited with %s:\n%s" % (self.subject.name, p.returncode, self.output()))
            try:
                if target.startswith("unix:"):
                    s = socket.socket(socket.AF_UNIX)
                    s.connect(target[5:])
                else:
                    s = socket.create_connection(("127.0.0.1", self.tls_port if target == "tls_port" else self.port), 1)
                    if target == "port":  # up is: answers, with anything
                        s.settimeout(2)
                        s.sendall(b"GET /0 HTTP/1.0\r\nHost: localhost\r\n\r\n")
                        head = s.recv(64)
                        if not head or b" 50" in head[:14]:
                            raise OSError("not ready: %r" % head)
                s.close()
                time.sleep(0.1)
                return
            except OSError as e:
                if time.monotonic() > end:
                    raise RuntimeError("%s is not ready (%s):\n%s" % (self.subject.name, e, self.output()))
                time.sleep(0.05)

    def output(self):
        self.log.flush()
        out = measure.read(os.path.join(self.work, "output.log"))
        for name in ("error.log",):
            out += measure.read(os.path.join(self.work, name))
        return out[-2000:]

    def pids(self):
        return self.group.pids()

    def stop(self):
        for p in self.procs:
            if p.poll() is None:
                p.send_signal(self.subject.stop_signal)
        end = time.monotonic() + 5
        while time.monotonic() < end and any(p.poll() is None for p in self.procs):
            time.sleep(0.02)
        for p in self.procs:
            if p.poll() is None:
                p.kill()
            p.wait()
        for _ in range(20):  # whatever it left behind, and nothing else
            left = [p for p in self.group.pids() if p != os.getpid()] if self.group.path else []
            if not left:
                break
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
            time.sleep(0.05)
        self.log.close()
        self.group.close()
        shutil.rmtree(self.work, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
