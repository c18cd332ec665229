# Where `reload` is set a worker tells in which folders the modules lie that it has imported.
import os
import shutil
import socket
import tempfile
import unittest

from play import PATIENCE, Worker


class Imported(unittest.TestCase):
    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def worker(self, app):
        return Worker(app, directory=self.folder, wait=False, PORTHERD_RELOAD="1")

    def told(self, worker, until):
        """The folders told, relative, in the order they came, until one is `until` (or READY=1 for that)."""
        worker.notify.settimeout(PATIENCE)
        folders, is_over = [], False
        while not is_over:
            for line in worker.notify.recv(5000).decode().splitlines():
                if line.startswith("IMPORTED="):
                    folders.append(os.path.relpath(line.partition("=")[2], self.folder))
                is_over = is_over or line == until or folders[-1:] == [until]
        return folders

    def test_those_of_the_app_are_told_and_those_of_the_interpreter_are_not(self):
        self.write("shop/__init__.py", "")
        self.write("shop/wsgi.py", "import json, xml.dom, shop.models.base\ndef app(environ, start_response): pass\n")
        self.write("shop/models/base.py", "")
        self.write("site-packages/installed.py", "")
        self.write("shop/models/more.py", "import sys\nsys.path.append('site-packages')\nimport installed\n")
        with self.worker("shop.wsgi:app") as worker:
            self.assertEqual(sorted(self.told(worker, "READY=1")), ["shop", "shop/models"])

    def test_those_that_a_request_imports_are_told_later(self):
        self.write("shop.py", "def app(environ, start_response):\n    import late.module\n"
                              "    start_response('200 OK', [])\n    return []\n")
        self.write("late/module.py", "")
        with self.worker("shop:app") as worker:
            self.assertEqual(self.told(worker, "READY=1"), ["."])
            worker.connect().request()
            self.assertEqual(self.told(worker, "late"), ["late"])

    def test_those_that_an_import_hangs_on_are_told_when_it_fails(self):
        for text, last in (("raise RuntimeError\n", "shop/deep"), ("def app(:\n", "shop/deep")):
            self.write("shop/__init__.py", "import shop.deep.module\n")
            self.write("shop/deep/module.py", text)
            with self.worker("shop:app") as worker:
                self.assertIn(last, self.told(worker, last))
                self.assertEqual(worker.wait(), 1)

    def test_many_folders_are_many_datagrams_that_the_supervisor_takes(self):
        names = ["p%d_%s" % (i, "x" * 100) for i in range(60)]
        for name in names:
            self.write(name + "/m.py", "")
        self.write("shop.py", "".join("import %s.m\n" % name for name in names) + "def app(environ, start_response): pass\n")
        with self.worker("shop:app") as worker:
            worker.notify.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self.assertEqual(sorted(self.told(worker, "READY=1")), sorted(["."] + names))

    def test_nobody_is_told_where_nobody_wants_to_know(self):
        self.write("shop.py", "import os\nassert 'PORTHERD_RELOAD' not in os.environ\ndef app(environ, start_response): pass\n")
        with Worker("shop:app", directory=self.folder) as worker:  # the first word is READY=1
            pass
        with self.worker("shop:app") as worker:
            self.told(worker, "READY=1")


if __name__ == "__main__":
    unittest.main()
