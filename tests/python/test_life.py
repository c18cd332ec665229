# The life of a worker process: how it starts or says why not, what the app finds, how it drains and leaves.
import ast
import os
import re
import select
import shutil
import signal
import socket
import tempfile
import unittest

from play import BODY, LAST, NOT_TAKEN, DONE, REQUEST, APPS, Worker, environment, frame, pythons, whole


class Start(unittest.TestCase):
    def refused(self, app, **more):
        """(exit status, what was said) of a worker that does not start."""
        with Worker(app, wait=False, **more) as worker:
            status = worker.wait()
            with self.assertRaises(BlockingIOError):
                worker.notify.setblocking(False)
                worker.notify.recv(100)  # it was never ready
            return status, worker.stderr().replace(APPS, "APPS")

    def test_threads_that_cannot_be_had(self):
        self.assertEqual(self.refused("unthreaded:app", threads=2), (
            1, "portherd: cannot start thread 1 of 2: can't start new thread: let `rlimits` (nproc, as) or `pids_max` have more, "
               "or `threads` be fewer\n"))

    def test_a_module_that_is_not_there(self):
        self.assertEqual(self.refused("nosuch:app"),
                         (1, 'portherd: cannot import "nosuch": No module named \'nosuch\'\n'))
        self.assertEqual(self.refused("nosuch.wsgi:app"),
                         (1, 'portherd: cannot import "nosuch.wsgi": No module named \'nosuch\'\n'))

    def test_a_module_that_needs_another_shows_where(self):
        status, said = self.refused("needs_nosuch:app")
        self.assertEqual(status, 1)
        self.assertTrue(said.startswith("Traceback (most recent call last):\n"
                                        '  File "APPS/needs_nosuch.py", line 2, in <module>\n'
                                        "    import nosuch_dependency"), said)
        self.assertTrue(said.endswith(
            "ModuleNotFoundError: No module named 'nosuch_dependency'\n"
            "portherd: cannot import \"needs_nosuch\": No module named 'nosuch_dependency'\n"), said)

    def test_a_module_that_raises_shows_its_own_frames_and_no_others(self):
        status, said = self.refused("broken:app")
        self.assertEqual(status, 1)
        self.assertEqual(re.findall(r'File "([^"]*)", line \d+, in (.*)', said),
                         [("APPS/broken.py", "<module>"), ("APPS/broken.py", "configure")])
        self.assertTrue(said.endswith("RuntimeError: no settings\n"
                                      'portherd: cannot import "broken": RuntimeError: no settings\n'), said)

    def test_the_frames_of_importlib_are_not_the_apps(self):
        status, said = self.refused("imports_broken:app")
        self.assertEqual(status, 1)
        self.assertEqual(re.findall(r'File "([^"]*)"', said),
                         ["APPS/imports_broken.py", "APPS/broken.py", "APPS/broken.py"])

    def test_a_module_that_is_not_Python_shows_the_line(self):
        status, said = self.refused("unreadable:app")
        self.assertEqual(status, 1)
        self.assertIn('File "APPS/unreadable.py", line 2\n    def app(environ, start_response)\n', said)
        self.assertIn('portherd: cannot import "unreadable": SyntaxError:', said)

    def test_a_module_that_exits_is_said_to(self):
        status, said = self.refused("exits:app")
        self.assertEqual(status, 1)
        self.assertTrue(said.endswith('portherd: cannot import "exits": it called exit(no licence)\n'), said)

    def test_an_attribute_that_is_not_there_comes_with_the_names_near_it(self):
        self.assertEqual(self.refused("hello:apps"), (1, 'portherd: "hello" has no "apps" (near: app)\n'))
        self.assertEqual(self.refused("hello:zzz"), (1, 'portherd: "hello" has no "zzz" (near: app)\n'))
        self.assertEqual(self.refused("factory:site.wsgy"),
                         (1, 'portherd: "factory:site" has no "wsgy" (near: wsgi)\n'))
        self.assertEqual(self.refused("broken.sub:app")[0], 1)

    def test_what_is_not_callable(self):
        self.assertEqual(self.refused("factory:number"),
                         (3, 'portherd: "factory:number" is not callable: int\n'))
        self.assertEqual(self.refused("factory:number()"),
                         (3, 'portherd: "factory:number()": int is not callable\n'))

    def test_a_factory_that_was_not_said_to_be_one(self):
        for name in "factory:create_app", "factory:configured_app", "factory:Uncalled":
            self.assertEqual(self.refused(name), (
                3, 'portherd: "%s" takes no (environ, start_response), so it is no app; if it makes one, name "%s()", or run '
                   "with --factory\n" % (name, name)))
        self.assertEqual(self.refused("factory:app_from"),
                         (3, 'portherd: "factory:app_from" is no app: it cannot be called with (environ, start_response)\n'))

    def test_what_may_be_an_app_is_tried(self):
        for name in "factory:Answer", "factory:any_app", "factory:Uncalled()", "factory:Bound()":
            with Worker(name) as worker:
                self.assertEqual(worker.connect().get()[0], "200 OK")
        with Worker("factory:app_of") as worker:
            self.assertEqual(worker.connect().get()[0], "500 Internal Server Error")
            worker.wait_stderr("TypeError: it returned a function, which is no answer; if it is the app that this one makes, "
                               "run with --factory\n")

    def test_greenlets_in_the_place_of_threads_are_refused(self):
        status, said = self.refused("patched:app")
        self.assertEqual(status, 3)
        self.assertTrue(said.startswith('portherd: "patched:app" has gevent in the place of threads (monkey patching)'), said)

    def test_what_was_put_in_the_place_of_sockets_is_not_used(self):
        with Worker("patched:app", ONLY_SOCKETS="1") as worker:
            self.assertEqual(worker.connect().get()[0], "200 OK")

    def test_a_factory_that_raises(self):
        status, said = self.refused("factory:failing_app()")
        self.assertEqual(status, 1)
        self.assertIn("in failing_app\n", said)
        self.assertTrue(said.endswith("portherd: \"factory:failing_app()\" raised: KeyError: 'missing'\n"),
                        said)
        self.assertNotIn("<portherd/", said)

    def test_what_names_no_app(self):
        for name in "", "hello", "hello:", ":app", "hello:app(1)", "hello:a-b", "../hello:app", "hello;x:app":
            self.assertEqual(self.refused(name), (
                2, 'portherd: "%s" does not name an app: "module:attribute" does\n' % name))

    def test_parameters_that_are_wrong(self):
        self.assertEqual(self.refused("hello:app", LISTEN_FDS=None)[0], 2)
        self.assertEqual(self.refused("hello:app", LISTEN_FDS="2")[0], 2)
        self.assertEqual(self.refused("hello:app", LISTEN_PID="1")[0], 2)
        for threads in "0", "many", "-1", "1e3", "100000":
            self.assertEqual(self.refused("hello:app", PORTHERD_THREADS=threads), (
                2, "portherd: PORTHERD_THREADS must be a number from 1 to 1024: '%s'\n" % threads))
        self.assertEqual(self.refused("hello:app", PORTHERD_STACK_SIGNAL="9")[0], 2)
        self.assertEqual(self.refused("hello:app", PORTHERD_STACK_SIGNAL="40", PORTHERD_STACK_FD="77")[0], 2)

    def test_a_notify_socket_that_is_not_there(self):
        status, said = self.refused("hello:app", NOTIFY_SOCKET="/nonexistent/notify")
        self.assertEqual(status, 1)
        self.assertIn("portherd: cannot tell NOTIFY_SOCKET that this worker is ready", said)

    def test_without_a_notify_socket_it_just_serves(self):
        with Worker("hello:app", wait=False, NOTIFY_SOCKET=None) as worker:
            self.assertEqual(worker.connect().get()[0], "200 OK")

    def test_an_abstract_notify_socket(self):
        name = "\0portherd-test-%d" % os.getpid()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(name)
            notify.settimeout(20)
            with Worker("hello:app", wait=False, NOTIFY_SOCKET="@" + name[1:]):
                self.assertEqual(notify.recv(100), b"READY=1")

    def test_the_app_may_be_inside_of_an_object_or_made_by_a_call(self):
        for name in "factory:site.wsgi", "factory:create_app()", "factory:hello.app":
            with Worker(name) as worker:
                self.assertEqual(worker.connect().get()[2], b"Hello, world!\n")

    def test_the_process_is_the_apps_own(self):
        with Worker("echo:app", threads=3) as worker:
            found = ast.literal_eval(worker.connect().get("/process")[2].decode())
        self.assertEqual(found.pop("thread").split("-")[0], "portherd")
        self.assertEqual(found, {"environment": [], "path": True, "argv": ["portherd"], "daemon": True,
                                 "inheritable": False, "modules": []})

    def test_the_directory_comes_first_even_in_safe_path_mode(self):
        with Worker("hello:app", PYTHONSAFEPATH="1") as worker:
            self.assertEqual(worker.connect().get()[0], "200 OK")

    def test_nothing_is_written_to_the_apps_directory(self):
        with tempfile.TemporaryDirectory() as directory:
            shutil.copy(os.path.join(APPS, "hello.py"), directory)
            with Worker("hello:app", directory=directory) as worker:
                worker.connect().get()
            self.assertEqual(os.listdir(directory), ["hello.py"])


class Leaving(unittest.TestCase):
    def test_an_idle_worker_leaves_at_once(self):
        with Worker("hello:app", threads=4) as worker:
            worker.term()
            self.assertEqual(worker.wait(), 0)
            self.assertEqual(worker.stderr(), "")

    def test_idle_connections_are_closed(self):
        with Worker("hello:app", threads=2) as worker:
            front = worker.connect()
            front.get()
            worker.term()
            self.assertIsNone(front.frame())
            self.assertEqual(worker.wait(), 0)

    def test_a_running_request_is_finished(self):
        with Worker("slow:app", threads=2) as worker:
            idle, front = worker.connect(), worker.connect()
            front.send(frame(REQUEST, environment("/slow", "POST")) + frame(BODY, b"the "))
            worker.wait_stderr("running /slow")
            worker.term()
            self.assertIsNone(idle.frame())  # the signal was seen
            worker.term()  # a second one changes nothing
            front.send(frame(BODY, b"test", LAST))
            self.assertEqual(whole(front.answer())[2], b"waited for the test")
            self.assertIsNone(front.frame())
            self.assertEqual(worker.wait(), 0)

    def test_after_it_connects_are_refused(self):
        with Worker("slow:app", threads=2) as worker:
            idle, front = worker.connect(), worker.connect()
            front.send(frame(REQUEST, environment("/slow", "POST")))
            worker.wait_stderr("running /slow")
            worker.term()
            self.assertIsNone(idle.frame())
            with self.assertRaises(ConnectionRefusedError):
                worker.connect()
            front.send(frame(BODY, b"", LAST))
            whole(front.answer())
            self.assertEqual(worker.wait(), 0)

    def test_requests_that_wait_in_the_backlog_are_not_taken(self):
        with Worker("slow:app", threads=1) as worker:
            front, early, half, silent = [worker.connect() for _ in range(4)]
            front.send(frame(REQUEST, environment("/slow", "POST")))
            worker.wait_stderr("running /slow")
            early.request("/early", "POST", b"body")
            half.send(frame(REQUEST, environment("/half"))[:20])
            worker.term()
            worker.wait_refusing()
            front.send(frame(BODY, b"", LAST))
            self.assertEqual(whole(front.answer())[2], b"waited for ")
            self.assertEqual(early.answer(), [(NOT_TAKEN, DONE, b"")])
            self.assertIsNone(early.frame())
            self.assertEqual(half.answer(), [(NOT_TAKEN, DONE, b"")])
            self.assertIsNone(half.frame())
            self.assertIsNone(silent.frame())
            self.assertEqual(worker.wait(), 0)
            self.assertEqual(worker.stderr(), "running /slow\n")

    def test_half_a_request_on_an_idle_connection_is_not_taken(self):
        with Worker("hello:app") as worker:
            front = worker.connect()
            front.get()
            front.send(frame(REQUEST, environment("/half"))[:-1])
            worker.term()
            self.assertEqual(front.answer(), [(NOT_TAKEN, DONE, b"")])
            self.assertIsNone(front.frame())
            self.assertEqual(worker.wait(), 0)

    def test_an_endless_stream_ends_when_its_client_leaves(self):
        with Worker("slow:endless", threads=2) as worker:
            idle, front = worker.connect(), worker.connect()
            front.request("/endless")
            front.frame()
            worker.term()
            self.assertIsNone(idle.frame())
            front.close()
            self.assertEqual(worker.wait(), 0)
            self.assertEqual(worker.stderr(), "stopped /endless\n")

    def test_requests_under_way_while_it_leaves_are_answered_or_known_to_be_untouched(self):
        """Over and over: connections that send without pause, and TERM at some moment of it."""
        for _ in range(10):
            with Worker("hello:app", threads=2) as worker:
                fronts = [worker.connect() for _ in range(2)]
                for number in range(400):
                    if number == 30:
                        worker.term()
                    front = fronts[number % 2]
                    if front is None:
                        continue
                    try:
                        front.request()
                    except BrokenPipeError:
                        fronts[number % 2] = None  # not one byte was accepted
                        continue
                    frames = front.answer()
                    if frames != [(NOT_TAKEN, DONE, b"")]:
                        self.assertEqual(whole(frames)[2], b"Hello, world!\n")
                self.assertEqual(fronts, [None, None])
                self.assertEqual(worker.wait(), 0)


class Signals(unittest.TestCase):
    def test_interrupts_are_left_to_the_supervisor(self):
        with Worker("slow:app", threads=2) as worker:
            idle, front = worker.connect(), worker.connect()
            front.send(frame(REQUEST, environment("/slow", "POST")))
            worker.wait_stderr("running /slow")
            for _ in range(3):
                worker.process.send_signal(signal.SIGINT)
            front.send(frame(BODY, b"it", LAST))
            self.assertEqual(whole(front.answer())[2], b"waited for it")
            idle.request("/after", "POST", b"all")
            self.assertEqual(whole(idle.answer())[2], b"waited for all")

    def test_handlers_of_the_app_run_but_TERM_and_INT_are_ours(self):
        with Worker("signals:app") as worker:
            worker.process.send_signal(signal.SIGINT)
            worker.process.send_signal(signal.SIGUSR2)
            self.assertEqual(worker.wait_stderr("handler ran"), "handler ran\n")
            self.assertEqual(worker.connect().get()[2], b"fine")
            worker.term()
            self.assertEqual(worker.wait(), 0)
            self.assertEqual(worker.stderr(), "handler ran\n")

    def test_a_default_timeout_for_sockets_does_not_reach_ours(self):
        with Worker("signals:app") as worker:
            front = worker.connect()
            front.get()
            # Slower than the app's 1 ms, and no clock in it: the front starts an interpreter meanwhile.
            with Worker("signals:app") as other:
                self.assertEqual(other.connect().get()[2], b"fine")
            self.assertEqual(front.get()[2], b"fine")

    def test_the_stack_signal_prints_what_every_thread_does(self):
        number = signal.SIGRTMIN + 7
        with Worker("slow:app", threads=2, PORTHERD_STACK_SIGNAL=str(int(number))) as worker:
            front = worker.connect()
            front.send(frame(REQUEST, environment("/slow", "POST")))
            worker.wait_stderr("running /slow")
            worker.process.send_signal(number)
            said = worker.wait_stderr("<portherd/bootstrap.py>")
            self.assertIn('slow.py", line', said)
            front.send(frame(BODY, b"it", LAST))
            self.assertEqual(whole(front.answer())[2], b"waited for it")

    def test_stacks_go_to_a_descriptor_of_their_own_which_no_program_of_the_app_inherits(self):
        reader, writer = os.pipe()
        number = signal.SIGRTMIN + 7
        with open(reader, "rb", buffering=0) as stacks:
            with Worker("slow:app", threads=2, pass_fds=(writer,), PORTHERD_STACK_SIGNAL=str(int(number)),
                        PORTHERD_STACK_FD=str(writer)) as worker:
                front = worker.connect()
                front.send(frame(REQUEST, environment("/slow", "POST")))
                worker.wait_stderr("running /slow")
                os.kill(worker.process.pid, number)
                said = b""
                while b"<portherd/bootstrap.py>" not in said:
                    self.assertTrue(select.select([stacks], [], [], 20)[0], said)
                    said += stacks.read(65536)
                self.assertIn(b'slow.py", line', said)
                self.assertEqual(worker.stderr(), "running /slow\n")
                with open("/proc/%d/fdinfo/%d" % (worker.process.pid, writer)) as info:
                    flags = int(re.search(r"flags:\s*(\d+)", info.read()).group(1), 8)
                self.assertTrue(flags & os.O_CLOEXEC)
                front.send(frame(BODY, b"it", LAST))
                self.assertEqual(whole(front.answer())[2], b"waited for it")
        os.close(writer)


class Forks(unittest.TestCase):
    def test_a_signal_to_a_child_of_the_app_does_not_reach_the_worker(self):
        with Worker("forks:app", threads=2) as worker:
            front = worker.connect()
            child = int(front.get()[2])
            worker.wait_stderr("child of")
            descriptor = os.pidfd_open(child)
            os.kill(child, signal.SIGTERM)
            self.assertTrue(select.select([descriptor], [], [], 20)[0], "the child did not end")
            os.close(descriptor)
            other = worker.connect()
            os.kill(int(other.get()[2]), signal.SIGKILL)
            worker.term()
            self.assertEqual(worker.wait(), 0)

    def test_a_child_of_the_app_keeps_no_client_of_a_dead_worker_waiting(self):
        for app in "forks:app", "forks_early:app":
            with self.subTest(app), Worker(app, threads=2) as worker:
                front = worker.connect()
                child = int(front.get()[2])
                try:
                    worker.wait_stderr("child of")
                    worker.process.kill()
                    worker.wait()
                    self.assertIsNone(front.frame())
                    with self.assertRaises(ConnectionRefusedError):
                        worker.connect()
                finally:
                    os.kill(child, signal.SIGKILL)

    def test_a_child_that_forgets_to_leave_does_not_answer_in_its_parents_name(self):
        with Worker("forks:comes_back") as worker:
            front = worker.connect()
            self.assertEqual(front.get()[2], b"parent")
            self.assertEqual(front.get()[2], b"parent")
            said = "portherd: a child that the app has forked came back from its request, and is ended\n"
            self.assertEqual(worker.stderr(), 2 * said)

    def test_multiprocessing_can_spawn(self):
        with Worker("forks:spawned") as worker:
            self.assertEqual(worker.connect().get()[2], b"0", worker.stderr())


class EveryInterpreter(unittest.TestCase):
    def test_each_starts_serves_reports_and_leaves(self):
        self.assertTrue(pythons())
        for python in pythons():
            with self.subTest(python):
                with Worker("rules:app", threads=2, python=python) as worker:
                    front = worker.connect()
                    self.assertEqual(front.get("/one_block")[2], b"one")
                    self.assertEqual(front.get("/generator")[2], b"onetwo")
                    self.assertEqual(front.get("/file")[2], b"0123456789" * 20000)
                    self.assertEqual(front.get("/deep")[0], "500 Internal Server Error")
                    self.assertIn("ValueError: the effect", worker.stderr())
                    self.assertNotIn("<portherd/", worker.stderr())
                    worker.term()
                    self.assertEqual(worker.wait(), 0)
                with Worker("echo:app", python=python) as worker:
                    self.assertEqual(worker.connect().get("/body", "POST", b"x" * 65536)[2], b"x" * 65536)
                with Worker("nosuch:app", python=python, wait=False) as worker:
                    self.assertEqual(worker.wait(), 1)
                    self.assertEqual(worker.stderr(),
                                     'portherd: cannot import "nosuch": No module named \'nosuch\'\n')
                with Worker("broken:app", python=python, wait=False) as worker:
                    self.assertEqual(worker.wait(), 1)
                    self.assertEqual(len(re.findall(r'  File "', worker.stderr())), 2)


if __name__ == "__main__":
    unittest.main()
