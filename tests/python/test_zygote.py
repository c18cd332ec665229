# The zygote of a preloading app, and the workers that it forks: the real package, asked for workers as the supervisor
# asks (supervisor/zygote.h).
import ast
import ctypes
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from play import APPS, PATIENCE, AsgiWorker, Front, blob, high, line, pythons

PR_SET_CHILD_SUBREAPER = 36
SO_PASSCRED = 16
CREDENTIALS = struct.Struct("iII")


def read_all(descriptor):
    return os.pread(descriptor.fileno(), 1 << 24, 0).decode()


def wait_exit(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Zygote:
    def __init__(self, app, post_fork=None, python=sys.executable, key="PORTHERD_WSGI", directory=APPS):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.folder = tempfile.mkdtemp()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs.setblocking(False)
        control, memfd = high(theirs.detach()), high(os.memfd_create("portherd"))
        os.write(memfd, blob())
        variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        variables.update({key: app}, PORTHERD_PRELOAD="1", PORTHERD_THREADS="2", PORTHERD_STACK_SIGNAL="40",
                         PYTHONDONTWRITEBYTECODE="1")
        if post_fork:
            variables["PORTHERD_POST_FORK"] = post_fork
        self.errors, self.out = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        move = "import os,sys;os.dup2(%d,3);os.close(%d);os.execv(sys.argv[1],sys.argv[1:])" % (control, control)
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", move, python, "-c", line() % memfd], cwd=directory, env=variables,
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.errors, pass_fds=(control, memfd))
        os.close(control)
        os.close(memfd)
        self.born = []

    def ask(self, **more):
        worker = Forked(self, len(self.born), **more)
        self.born.append(worker)
        return worker

    def refused(self):
        """(exit status, what was said)."""
        return self.process.wait(PATIENCE), read_all(self.errors).replace(APPS, "APPS")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.control.close()
        for worker in self.born:
            worker.end()
        self.process.kill()
        self.process.wait()
        self.errors.close()
        self.out.close()
        shutil.rmtree(self.folder)


class Forked:
    """A worker that was asked for. wait_born() and go() make it one."""

    def __init__(self, zygote, number, parent=None):
        self.path = os.path.join(zygote.folder, "worker%d" % number)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.path + ".notify")
        self.notify.settimeout(PATIENCE)
        self.birth, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.birth.setsockopt(socket.SOL_SOCKET, SO_PASSCRED, 1)
        self.birth.settimeout(PATIENCE)
        self.out, self.errors, self.stacks = [tempfile.TemporaryFile() for _ in range(3)]
        self.pid = self.front = None
        with socket.socket(socket.AF_UNIX) as listener, theirs:
            listener.bind(self.path)
            listener.listen(16)
            listener.setblocking(False)
            fds = [one.fileno() for one in (listener, self.out, self.errors, self.stacks, theirs)]
            text = "%d %s.notify" % (parent or os.getpid(), self.path)
            socket.send_fds(zygote.control, [text.encode()], fds)

    def wait_born(self):
        text, told, _, _ = self.birth.recvmsg(100, socket.CMSG_SPACE(CREDENTIALS.size))
        if text == b"born":
            self.pid = CREDENTIALS.unpack(told[0][2])[0]
        return text

    def go(self):
        assert self.wait_born() == b"born"
        self.birth.send(b"!")
        return self

    def wait_ready(self):
        assert self.notify.recv(100) == b"READY=1"
        return self

    def tell(self):
        """What the app says of itself."""
        if self.front is None:
            self.front = Front(self.path)
        status, _, body = self.front.get()
        assert status == "200 OK", status
        return ast.literal_eval(body.decode())

    def leave(self):
        """By TERM: its exit status."""
        os.kill(self.pid, signal.SIGTERM)
        pid, self.pid = self.pid, None
        return wait_exit(pid)

    def end(self):
        if self.front is not None:
            self.front.close()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        for one in self.notify, self.birth, self.out, self.errors, self.stacks:
            one.close()


class Births(unittest.TestCase):
    def test_the_app_is_imported_once_and_its_workers_are_children_of_ours(self):
        with Zygote("preloaded:app", post_fork="preloaded:hook") as zygote:
            told = [zygote.ask().go().wait_ready().tell() for _ in range(3)]
            for one, worker in zip(told, zygote.born):
                self.assertEqual(one["pid"], worker.pid)
                self.assertEqual(one["session"], worker.pid)
                self.assertEqual(one["parent"], os.getpid())
                self.assertEqual(one["imported_by"], zygote.process.pid)
                self.assertEqual(one["said"], ["hook in %d" % worker.pid])
                self.assertEqual(one["descriptors"], told[0]["descriptors"])
            self.assertEqual(len({one["random"] for one in told}), 3)

    def test_workers_of_an_asgi_app_have_each_its_loop_and_its_lifespan(self):
        with Zygote("preloaded:app", key="PORTHERD_ASGI", directory=AsgiWorker.DIRECTORY) as zygote:
            for worker in [zygote.ask().go().wait_ready() for _ in range(2)]:
                worker.front = Front(worker.path)
                told = ast.literal_eval(worker.front.fetch()[2].decode())
                pid = worker.pid
                self.assertEqual(told, {"imported_by": zygote.process.pid, "begun_in": [pid], "pid": pid})
                self.assertEqual(worker.leave(), 0)
                self.assertEqual(read_all(worker.out), "shutdown in %d\n" % pid)

    def test_an_app_of_the_other_kind_is_refused_before_anything_is_forked(self):
        with Zygote("preloaded:app", directory=AsgiWorker.DIRECTORY) as zygote:
            self.assertEqual(zygote.refused(), (3, 'portherd: "preloaded:app" is an ASGI app: name it by `asgi`, not by `wsgi`\n'))

    def test_each_has_its_output_and_its_stacks(self):
        with Zygote("preloaded:with_an_end()") as zygote:
            one, other = zygote.ask().go().wait_ready(), zygote.ask().go().wait_ready()
            one.tell()
            os.kill(one.pid, 40)
            for _ in range(PATIENCE * 100):
                if "in wait" in read_all(one.stacks):
                    break
                time.sleep(0.01)
            self.assertIn("in wait", read_all(one.stacks))
            self.assertEqual(read_all(other.stacks), "")
            pid = one.pid
            self.assertEqual(one.leave(), 0)
            self.assertEqual(read_all(one.errors), "the end of %d\n" % pid)
            self.assertEqual(read_all(other.errors), "")

    def test_nobody_is_a_worker_before_it_is_told_to_go_on(self):
        with Zygote("preloaded:app") as zygote:
            given_up, wanted = zygote.ask(), zygote.ask()
            self.assertEqual(given_up.wait_born(), b"born")
            given_up.birth.close()
            self.assertEqual(wait_exit(given_up.pid), 4)
            given_up.pid = None
            wanted.go().wait_ready()

    def test_one_of_another_supervisor_is_none(self):
        with Zygote("preloaded:app") as zygote:
            orphan = zygote.ask(parent=1)
            self.assertEqual(orphan.birth.recv(100), b"it has come to another parent than the supervisor")
            zygote.ask().go().wait_ready()

    def test_the_end_of_its_supervisor_is_its_own_and_workers_live_on(self):
        with Zygote("preloaded:app") as zygote:
            worker = zygote.ask().go().wait_ready()
            zygote.control.close()
            self.assertEqual(zygote.process.wait(PATIENCE), 0)
            worker.tell()
            self.assertEqual(worker.leave(), 0)

    def test_its_death_is_not_its_workers(self):
        with Zygote("preloaded:app") as zygote:
            worker = zygote.ask().go().wait_ready()
            zygote.process.kill()
            zygote.process.wait()
            worker.tell()

    def test_a_hook_that_raises_ends_the_worker_and_says_so(self):
        with Zygote("preloaded:app", post_fork="preloaded:failing_hook") as zygote:
            worker = zygote.ask().go()
            self.assertEqual(wait_exit(worker.pid), 1)
            worker.pid = None
            said = read_all(worker.errors)
            self.assertIn("in failing_hook\n", said)
            self.assertTrue(said.endswith('portherd: "preloaded:failing_hook" raised: RuntimeError: no database\n'), said)
            self.assertNotIn("<portherd/", said)
            self.assertEqual(zygote.ask().wait_born(), b"born")

    def test_what_cannot_be_forked_is_said(self):
        with Zygote("preloaded:where_forks_fail()") as zygote:
            for _ in range(2):  # of the zygote's own fork, and then of that between it and the worker
                self.assertEqual(zygote.ask().wait_born(), b"cannot fork: Resource temporarily unavailable")
            zygote.ask().go().wait_ready()


class Imports(unittest.TestCase):
    def refused(self, app, **more):
        with Zygote(app, **more) as zygote:
            return zygote.refused()

    def test_the_apps_own_errors_are_those_of_a_worker(self):
        status, said = self.refused("broken:app")
        self.assertEqual(status, 1)
        self.assertTrue(said.endswith('portherd: cannot import "broken": RuntimeError: no settings\n'), said)
        self.assertEqual(self.refused("hello:zzz"), (1, 'portherd: "hello" has no "zzz" (near: app)\n'))
        self.assertEqual(self.refused("factory:number")[0], 3)
        self.assertEqual(self.refused("preloaded:exits()")[0], 7)
        self.assertEqual(self.refused("hello:app", post_fork="preloaded:nosuch")[0], 1)

    def test_threads_are_named_and_refused(self):
        self.assertEqual(self.refused("preloaded:with_threads()"), (4, (
            "portherd: the app cannot be preloaded: its import has started 2 threads (flusher, watcher), and a fork takes "
            "none along. Start them in `post_fork` or on the first request, or set preload = false\n")))
        status, said = self.refused("preloaded:with_a_foreign_thread()")
        self.assertEqual(status, 4)
        self.assertIn("has started 1 thread (python", said)
        self.assertIn(", not Python's), and", said)

    def test_descriptor_3_is_missed(self):
        for app in "preloaded:without_descriptors()", "preloaded:with_another_descriptor_3()":
            self.assertEqual(self.refused(app)[0], 4)
        self.assertIn("its import has closed descriptor 3", self.refused("preloaded:with_another_descriptor_3()")[1])

    def serves(self, app):
        with Zygote(app) as zygote:
            for _ in range(2):
                zygote.ask().go().wait_ready().tell()
            told = zygote.born[1].tell()
            self.assertEqual([worker.leave() for worker in zygote.born], [0, 0])
            return told, zygote

    def test_threads_that_have_ended_or_end_before_a_fork_are_no_hindrance(self):
        self.serves("preloaded:with_ended_threads()")
        self.serves("preloaded:with_a_thread_that_ends_before_forks()")

    def test_the_random_numbers_of_numpy_are_begun_anew_in_each_worker(self):
        told, _ = self.serves("preloaded:with_numbers()")
        self.assertEqual(told["said"], ["seeded in %d" % told["pid"]])

    def test_standard_descriptors_may_be_closed(self):
        self.serves("preloaded:without_standard_ones()")

    def test_a_lock_that_is_held_is_the_apps_own(self):
        self.serves("preloaded:with_a_lock()")

    def test_handlers_of_children_hear_nothing_of_ours(self):
        self.assertEqual(self.serves("preloaded:with_a_handler_of_children()")[0]["said"], [])
        self.serves("preloaded:without_children()")

    def test_what_was_said_in_the_import_is_said_once(self):
        with Zygote("preloaded:with_much_to_say()") as zygote:
            for worker in zygote.ask(), zygote.ask():
                worker.go().wait_ready()
                self.assertEqual(worker.leave(), 0)
                self.assertEqual(read_all(worker.out), "")
            self.assertEqual(read_all(zygote.out), ("x" * 100 + "\n") * 20000 + "unfinished")

    def test_a_child_of_the_import_is_no_second_zygote(self):
        with Zygote("preloaded:with_a_child_that_comes_back()") as zygote:
            for _ in range(4):
                zygote.ask().go().wait_ready()
            self.assertIn("came back from it, and is ended", read_all(zygote.errors))
        self.serves("preloaded:with_a_child()")


class EveryInterpreter(unittest.TestCase):
    def test_each_forks_serves_and_leaves(self):
        for python in pythons():
            with self.subTest(python), Zygote("preloaded:app", post_fork="preloaded:hook", python=python) as zygote:
                worker = zygote.ask().go().wait_ready()
                self.assertEqual(worker.tell()["said"], ["hook in %d" % worker.pid])
                self.assertEqual(worker.leave(), 0)
                self.assertEqual(read_all(worker.errors), "")


if __name__ == "__main__":
    unittest.main()
