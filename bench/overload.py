#!/usr/bin/env python3
"""Three times the load that an app can serve, for 30 seconds: what is served, who is refused and how fast, and whether probes and
`status` answer meanwhile. Open loop: requests come by the clock, whatever became of those before. Loopback only.

    bench/overload.py [--portherd build/portherd] [--seconds 30] [--load 3] [--workers 2] [--work-ms 20]
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

APP = """
import time
def app(environ, start_response):
    time.sleep(%f)  # the work
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
CONFIG = """
[listen]
http = ["127.0.0.1:%(port)d"]
[metrics]
listen = "127.0.0.1:%(metrics)d"
[log]
access = "off"
[apps.app]
wsgi = "app:app"
python = "%(python)s"
workers = %(workers)d
threads = 1
queue_size = %(queue)d
queue_timeout = "%(queue_timeout)dms"
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


async def ask(port, path="/"):
    """The status, the head and the seconds it took; status 0 where there was no whole answer."""
    began = time.monotonic()
    head = b""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode())
            answer = await reader.read(-1)
        finally:
            writer.close()
        head, separator, _ = answer.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1]) if separator else 0
    except (OSError, IndexError, ValueError):
        status = 0
    return status, head, time.monotonic() - began


async def overload(options, port, answers):
    began, interval = time.monotonic(), 1 / options.rate
    tasks = []
    for n in range(int(options.seconds * options.rate)):
        if (wait := began + n * interval - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(ask(port)))
    sent_in = time.monotonic() - began
    answers += await asyncio.gather(*tasks)
    return sent_in, time.monotonic() - began


async def probe(metrics, said):
    while True:
        for path in ("/-/healthy", "/-/ready"):
            said.append(await ask(metrics, path))
        await asyncio.sleep(0.1)


async def look(portherd, config, said):
    while True:
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(portherd, "status", "--json", "-c", config, stdout=asyncio.subprocess.PIPE)
        await process.communicate()
        said.append((process.returncode, time.monotonic() - began))
        await asyncio.sleep(0.5)


async def measure(options, portherd, config, port, metrics):
    answers, probes, looks = [], [], []
    others = [asyncio.create_task(probe(metrics, probes)), asyncio.create_task(look(portherd, config, looks))]
    sent_in, took = await overload(options, port, answers)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    served = [seconds for status, _, seconds in answers if status == 200]
    refused = [seconds for status, head, seconds in answers if status == 503 and b"\r\nRetry-After:" in head]
    slowest = lambda times: 1000 * max(times, default=0)
    p99 = lambda times: 1000 * sorted(times)[len(times) * 99 // 100] if times else 0
    print("offered   %d in %.1f s (%.2f times the capacity of %.0f/s)" %
          (len(answers), sent_in, len(answers) / sent_in / options.capacity, options.capacity))
    print("served    %d: goodput %.1f %% of capacity; slowest %.0f ms" %
          (len(served), 100 * len(served) / took / options.capacity, slowest(served)))
    print("refused   %d, 503 with Retry-After: p99 %.1f ms, slowest %.1f ms" % (len(refused), p99(refused), slowest(refused)))
    print("others    %d" % (len(answers) - len(served) - len(refused)))
    print("probes    %d, %d of them not 200; slowest %.1f ms" %
          (len(probes), sum(s != 200 for s, _, _ in probes), slowest([t for _, _, t in probes])))
    print("status    %d, %d of them not 0; slowest %.0f ms" % (len(looks), sum(s != 0 for s, _ in looks), slowest([t for _, t in looks])))


def wait_ready(portherd, config):
    """Until every worker is."""
    for _ in range(600):
        if subprocess.run([portherd, "status", "--json", "-c", config], capture_output=True).returncode == 0:
            return
        time.sleep(0.05)
    sys.exit("not ready after 30 s")


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portherd", default=os.environ.get("PORTHERD", str(here / "build/portherd")))
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--load", type=float, default=3, help="times the capacity")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work-ms", type=float, default=20)
    parser.add_argument("--queue", type=int, default=50)
    parser.add_argument("--queue-timeout-ms", type=int, default=2000)
    options = parser.parse_args()
    options.capacity = options.workers * 1000 / options.work_ms
    options.rate = options.load * options.capacity
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        port, metrics, config = free_port(), free_port(), os.path.join(folder, "portherd.toml")
        pathlib.Path(folder, "app.py").write_text(APP % (options.work_ms / 1000))
        pathlib.Path(config).write_text(CONFIG % {"port": port, "metrics": metrics, "python": sys.executable, "workers": options.workers,
                                                  "queue": options.queue, "queue_timeout": options.queue_timeout_ms})
        with open(os.path.join(folder, "log"), "w+") as log:
            server = subprocess.Popen([options.portherd, "serve", "-c", config], cwd=folder, stdout=log, stderr=log)
            try:
                wait_ready(options.portherd, config)
                asyncio.run(measure(options, options.portherd, config, port, metrics))
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait(60)


if __name__ == "__main__":
    main()
