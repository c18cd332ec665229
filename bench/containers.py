#!/usr/bin/env python3
"""What a container should hold: one Django app (apps/wsgi_django.py, some 800 modules) by Portherd and by gunicorn, with 1, 2 and 4 workers of
1, 4 and 8 threads, in a container of so many CPUs. Memory (PSS of all processes, the front and the supervisor included) after the load,
requests a second, and 95th percentiles under a mixed load in a closed loop: of ten requests six are a page of 3 ms of CPU, three wait for
50 ms, one is a report of 30 ms of CPU. A container is here what limits it: cgroups, v1 or v2; where none can be made, the CPU affinity
alone. Loopback only; needs Debian's python3-django, python3-flask, python3-starlette and gunicorn. Some 10 s for each line.

    bench/containers.py [--portherd build/portherd] [--cpus 1,2] [--memory 0] [--clients 16] [--seconds 6] [--only 'portherd 1x4,...']
"""
import argparse
import asyncio
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from benchlib import measure  # noqa: E402

PYTHON = "/usr/bin/python3"  # Debian's, which has its packages
APPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "apps")
MIX = ["/page", "/wait", "/page", "/page", "/report", "/wait", "/page", "/page", "/wait", "/page"]
CONFIG = """
[listen]
http = ["127.0.0.1:%(port)d"]
[log]
access = "off"
[apps.app]
wsgi = "wsgi_django:app"
directory = "%(apps)s"
python = "%(python)s"
workers = %(workers)d
threads = %(threads)d
%(more)s
"""
SHAPES = [(1, 1), (1, 4), (1, 8), (2, 1), (2, 4), (2, 8), (4, 1), (4, 4), (4, 8)]
STACKS = ([("portherd", w, t, "") for w, t in SHAPES] + [("portherd --preload", w, 4, "preload = true") for w in (2, 4)] +
          [("gunicorn", w, t, "") for w, t in ((1, 4), (4, 1), (4, 4), (4, 8))] + [("gunicorn --preload", 4, 4, "--preload")])


class Container:
    """Limits for all processes that are born in it; of what they allow it gets more than others on the machine do. CPU time is counted by a measure.Group of its own."""

    def __init__(self, cpus, memory):
        self.cpus, self.folders, self.counted = cpus, [], measure.Group("container")
        own = {}
        for line in measure.read("/proc/self/cgroup").splitlines():
            _, controllers, path = line.split(":", 2)
            own.update({name: path for name in controllers.split(",")})
        bounds = {"cpu": {"cpu.cfs_quota_us": int(cpus * 100000), "cpu.shares": 65536}, "memory": {"memory.limit_in_bytes": memory} if memory else {}}
        if self.counted.kind == 2:
            self.write(self.counted.path, {"cpu.max": "%d 100000" % (cpus * 100000), "cpu.weight": 10000, **({"memory.max": memory} if memory else {})})
            self.folders.append(self.counted.path)
            return
        for controller, files in bounds.items():
            path = "/sys/fs/cgroup/%s%s/container-%d" % (controller, own.get(controller, "/").rstrip("/"), os.getpid())
            try:
                os.mkdir(path)
                self.write(path, files)
                self.folders.append(path)
            except OSError as error:
                print("no cgroup for %s (%s): %s" % (controller, error, "affinity instead" if controller == "cpu" else "no limit"))

    @staticmethod
    def write(path, files):
        for name, value in files.items():
            with open(os.path.join(path, name), "w") as file:
                file.write(str(value))

    def enter(self):
        self.counted.enter()
        for folder in self.folders:
            self.write(folder, {"cgroup.procs": 0})
        if not self.folders:
            os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:max(1, int(self.cpus))]))

    def pids(self):
        return self.counted.pids()

    def close(self):
        self.counted.close()
        for folder in self.folders:
            for _ in range(50):
                try:
                    os.rmdir(folder)
                    break
                except OSError:
                    time.sleep(0.02)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


async def ask(port, path):
    """True if there was a whole 200."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode())
            return (await reader.read(-1)).startswith(b"HTTP/1.1 200 ")
        finally:
            writer.close()
    except OSError:
        return False


async def client(port, number, until, times, failures):
    n = number * 3  # not all ask for the same at the same time
    while time.monotonic() < until:
        path, began = MIX[n % len(MIX)], time.monotonic()
        if await ask(port, path):
            times.append((path, time.monotonic() - began))
        else:
            failures.append(path)
            await asyncio.sleep(0.05)
        n += 1


async def load(port, clients, seconds):
    times, failures = [], []
    until = time.monotonic() + seconds
    await asyncio.gather(*(client(port, n, until, times, failures) for n in range(clients)))
    return times, failures


def p95(times):
    return 1000 * sorted(times)[len(times) * 95 // 100] if times else float("nan")


def start(stack, options, container, folder, port):
    name, workers, threads, more = stack
    if name.startswith("portherd"):
        config = os.path.join(folder, "portherd.toml")
        pathlib.Path(config).write_text(CONFIG % {"port": port, "apps": APPS, "python": PYTHON, "workers": workers,
                                                  "threads": threads, "more": more})
        if subprocess.run([options.portherd, "check", "-c", config], capture_output=True).returncode != 0:
            return None
        command = [options.portherd, "serve", "-c", config]
    else:
        command = ["/usr/bin/gunicorn", "--bind=127.0.0.1:%d" % port, "--workers=%d" % workers, "--threads=%d" % threads, "--log-level=error",
                   "--backlog=2048", "--chdir=" + APPS] + more.split() + ["wsgi_django:app"]
    log = open(os.path.join(folder, "log"), "w")
    return subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=container.enter, cwd=folder)


def wait_ready(port, server):
    for _ in range(1200):
        if asyncio.run(ask(port, "/page")):
            return True
        if server.poll() is not None:
            return False
        time.sleep(0.05)
    return False


def measure_one(stack, cpus, options):
    (name, workers, threads, _), port = stack, free_port()
    measure.wait_quiet(options.quiet, 20)
    container = Container(cpus, options.memory * 1024 * 1024)
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            server = start(stack, options, container, folder, port)
            said = try_out(stack, cpus, options, port, container, server) if server else "not in this build"
            print("| %s | %d | %d | %s |" % (name, workers, threads, said))
            for line in open(os.path.join(folder, "log")) if server else []:
                if " warning " in line and "runs as root" not in line or "SIGKILL" in line or "out of memory" in line:
                    print("    " + line.strip()[:400])
    finally:
        container.close()
    sys.stdout.flush()


def try_out(stack, cpus, options, port, container, server):
    """The rest of its line."""
    try:
        if not wait_ready(port, server):
            return "never ready"
        time.sleep(1 + 1.5 * stack[1] / cpus)  # gunicorn says nowhere when all of its workers have the app
        asyncio.run(load(port, options.clients, 2))
        noise, before = measure.Noise([container.counted]), container.counted.cpu()[0]
        times, failures = asyncio.run(load(port, options.clients, options.seconds))
        spent, foreign = container.counted.cpu()[0] - before, noise.stop()["foreign_pct"]
        pages, pids = [seconds for path, seconds in times if path == "/page"], container.pids()
        return "%d | %d | %.0f | %.0f | %.0f | %.0f | %.1f | %.0f | %.0f" % (
            len(pids), len(failures), measure.memory(pids)[1] / 1024, len(times) / options.seconds, p95(pages),
            p95([seconds for _, seconds in times]), 1000 * spent / max(1, len(times)), 100 * spent / options.seconds / cpus, foreign)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(40)
        except subprocess.TimeoutExpired:
            server.kill()


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portherd", default=os.environ.get("PORTHERD", str(here / "build/portherd")))
    parser.add_argument("--cpus", default="1,2", help="quotas to try")
    parser.add_argument("--memory", type=int, default=0, help="limit in MiB; 0: none")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--quiet", type=float, default=10, help="waits (20 s at most) until others use less than so many percent of the CPUs")
    parser.add_argument("--only", help="e.g. 'portherd 1x4,gunicorn 4x4'")
    options = parser.parse_args()
    options.portherd = os.path.abspath(options.portherd)
    only = options.only.split(",") if options.only else None
    for cpus in [float(cpus) for cpus in options.cpus.split(",")]:
        print("\n%g CPU%s, %s, %d clients\n" % (cpus, "" if cpus == 1 else "s", "%d MiB" % options.memory if options.memory else "no limit of memory",
                                               options.clients))
        print("| stack | workers | threads | processes | failed | PSS in all, MiB | requests/s | p95 of pages, ms | p95 of all, ms | CPU ms/request | CPU used, % | others, % of the machine |")
        print("|---|---|---|---|---|---|---|---|---|---|---|---|")
        for stack in STACKS:
            if only is None or "%s %dx%d" % stack[:3] in only:
                measure_one(stack, cpus, options)


if __name__ == "__main__":
    main()
