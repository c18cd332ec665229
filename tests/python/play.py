# The actors of these tests: a Worker (the real package in a real interpreter, started as the supervisor
# starts it) and a Front (one connection, literal frames). What they promise is in the test_*.py files.
import fcntl
import glob
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
APPS = os.path.join(ROOT, "tests", "apps", "wsgi")
PATIENCE = 20  # seconds until a test gives up waiting for an event

REQUEST, BODY, ABANDON, SCOPE = 1, 2, 3, 4  # docs/worker-protocol.md
HEAD, ANSWER_BODY, INTERIM, DONE_FRAME, NOT_TAKEN, TRAILERS = 16, 17, 18, 19, 20, 21
LAST, DONE = 1, 2


def line():
    """What follows -c, taken from python_arguments() in C++; %d is the descriptor of the blob."""
    with open(os.path.join(ROOT, "upstream", "python_package.cpp")) as file:
        parts = re.findall(r'R"\((.*)\)"', file.read())
    return "".join(parts).replace("{}", "%d").replace("{{", "{").replace("}}", "}")


def blob():
    parts = []
    for path in sorted(glob.glob(os.path.join(ROOT, "upstream", "python", "*.py"))):
        with open(path) as file:
            parts += [os.path.basename(path), file.read()]
    return "\0".join(parts).encode()


def frame(kind, payload=b"", flags=0):
    return struct.pack("<IBBH", len(payload), kind, flags, 0) + payload


def environment(path="/", method="GET", **more):
    pairs = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "",
             "SERVER_NAME": "example.com", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1"}
    pairs.update(more)
    return "\0".join(part for pair in pairs.items() for part in pair).encode("latin-1")


def scope(path="/", method="GET", fields=(), query="", scheme="http", client="192.0.2.7"):
    texts = [scheme, "1.1", method, path, query, client, "4711", "example.com", "80"]
    return "\0".join(texts + [text for field in fields for text in field]).encode("latin-1")


def high(descriptor):
    """The same, out of the way of descriptor 3."""
    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 100)
    os.close(descriptor)
    return copy


class Worker:
    """One worker process. `with Worker("hello:app") as worker` starts it and waits until it is ready."""

    def __init__(self, app, threads=1, python=sys.executable, directory=APPS, wait=True, pass_fds=(), **more):
        self.folder = tempfile.mkdtemp()
        self.path = os.path.join(self.folder, "worker")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen(64)
        listener.setblocking(False)  # as an event loop may leave it
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(os.path.join(self.folder, "notify"))
        self.notify.settimeout(PATIENCE)
        listening = high(listener.detach())
        memfd = high(os.memfd_create("portherd"))
        os.write(memfd, blob())  # its offset is at the end now, as it may be after another worker
        variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        variables.update(LISTEN_FDS="1", NOTIFY_SOCKET=os.path.join(self.folder, "notify"), PORTHERD_WSGI=app,
                         PORTHERD_THREADS=str(threads), PYTHONDONTWRITEBYTECODE="1")
        variables.update({key: value for key, value in more.items() if value is not None})
        for key in [key for key, value in more.items() if value is None]:
            del variables[key]
        self.errors = tempfile.TemporaryFile()
        # Descriptor 3 has to be the socket: a small program between us and the interpreter puts it there.
        move = "import os,sys;os.dup2(%d,3);os.close(%d);os.execv(sys.argv[1],sys.argv[1:])"
        mover = [sys.executable, "-S", "-E", "-c", move % (listening, listening)]
        self.process = subprocess.Popen(
            mover + [python, "-c", line() % memfd], cwd=directory, env=variables,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, pass_fds=(listening, memfd, *pass_fds))
        os.close(listening)
        os.close(memfd)
        self.fronts = []
        if wait:
            self.wait_ready()

    def wait_ready(self):
        self.notify.settimeout(0.2)
        for _ in range(int(PATIENCE / 0.2)):
            try:
                message = self.notify.recv(100)
                assert message == b"READY=1", message
                return self
            except socket.timeout:
                if self.process.poll() is not None:
                    break
        raise AssertionError("the worker is not ready: " + self.stderr())

    def connect(self):
        front = Front(self.path)
        self.fronts.append(front)
        return front

    def term(self):
        self.process.send_signal(signal.SIGTERM)

    def wait_refusing(self):
        """Until TERM has been heard: then it refuses connections."""
        for _ in range(PATIENCE * 100):
            try:
                Front(self.path).close()
            except ConnectionRefusedError:
                return
            time.sleep(0.01)
        raise AssertionError("it still takes connections")

    def wait(self):
        """The exit status."""
        return self.process.wait(PATIENCE)

    def stderr(self):
        """All that was said there so far."""
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode()

    def wait_stderr(self, text):
        """What was said, once `text` is in it."""
        for _ in range(PATIENCE * 100):
            if text in self.stderr():
                return self.stderr()
            time.sleep(0.01)
        raise AssertionError("%r never came on stderr: %s" % (text, self.stderr()))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for front in self.fronts:
            front.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.notify.close()
        self.errors.close()
        shutil.rmtree(self.folder)


class AsgiWorker(Worker):
    """The same for an ASGI app."""

    DIRECTORY = os.path.join(ROOT, "tests", "apps", "asgi")

    def __init__(self, app, directory=DIRECTORY, **more):
        super().__init__(app, directory=directory, PORTHERD_WSGI=None, PORTHERD_ASGI=app, **more)

    def wait_line(self):
        """The next line that the app prints."""
        return self.process.stdout.readline().decode().rstrip("\n")


class Front:
    """One connection to a worker."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.received = b""

    def send(self, data):
        self.socket.sendall(data)

    def request(self, path="/", method="GET", body=None, **more):
        """Sends one request, the body (if any) in one frame."""
        if body is None:
            self.send(frame(REQUEST, environment(path, method, **more), LAST))
        else:
            self.send(frame(REQUEST, environment(path, method, **more)) + frame(BODY, body, LAST))

    def ask(self, path="/", body=None, **more):
        """Sends one request to an ASGI worker, the body (if any) in one frame."""
        self.send(frame(SCOPE, scope(path, **more), LAST if body is None else 0))
        if body is not None:
            self.send(frame(BODY, body, LAST))

    def fetch(self, path="/", body=None, **more):
        """get(), of an ASGI worker."""
        self.ask(path, body, **more)
        return whole(self.answer())

    def frame(self):
        """The next frame, (type, flags, payload); None at the end of the connection."""
        while len(self.received) < 8 or len(self.received) < 8 + struct.unpack_from("<I", self.received)[0]:
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionResetError:
                data = b""
            if not data:
                assert not self.received, "half a frame: %r" % self.received
                return None
            self.received += data
        length, kind, flags, zero = struct.unpack_from("<IBBH", self.received)
        assert zero == 0 and length <= (64 if kind == ANSWER_BODY else 256) * 1024
        payload, self.received = self.received[8:8 + length], self.received[8 + length:]
        return kind, flags, payload

    def answer(self):
        """The frames up to `done`, each (type, flags, payload). A cut-off ends with None."""
        frames = []
        while not frames or (frames[-1] is not None and not frames[-1][1] & DONE):
            frames.append(self.frame())
        return frames

    def get(self, path="/", method="GET", body=None, **more):
        """(status, [(name, value)], body) of a whole answer."""
        self.request(path, method, body, **more)
        return whole(self.answer())

    def close(self):
        self.socket.close()


def whole(frames):
    """(status, fields, body) of an answer's frames; fails if it is not whole."""
    assert None not in frames, "cut off: %r" % (frames,)
    assert [kind for kind, _, _ in frames].count(HEAD) == 1 and frames[0][0] == HEAD, frames
    assert sum(flags & LAST for _, flags, _ in frames) == 1, "not exactly one last: %r" % (frames,)
    parts = frames[0][2].decode("latin-1").split("\0")
    body = b"".join(payload for kind, _, payload in frames if kind == ANSWER_BODY)
    return parts[0], list(zip(parts[1::2], parts[2::2])), body


def pythons():
    """Every interpreter found here that the worker promises to run on, 3.9 and later."""
    found = [sys.executable, shutil.which("python3", path=os.defpath)]  # the system's own has its packages
    found += [shutil.which("python3.%d" % minor) for minor in range(9, 20)]
    found += glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python3"))
    found += os.environ.get("PORTHERD_TEST_PYTHONS", "").split(":")
    versions = {}
    for path in filter(None, found):
        if os.path.exists(path):
            tell = subprocess.run([path, "-c", "import sys;print(*sys.version_info[:3])"],
                                  capture_output=True, text=True)
            version = tuple(map(int, tell.stdout.split())) if tell.returncode == 0 else (0,)
            if version >= (3, 9):
                versions.setdefault((version, os.path.realpath(path)), path)
    return [path for _, path in sorted(versions.items())]
