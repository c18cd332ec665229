# What others wrote, on this worker: wsgiref's validator, Flask, Django (where an interpreter has them).
import os
import subprocess
import unittest

from play import APPS, Worker, pythons


def first_with(module):
    """An interpreter that can import it."""
    for python in pythons():
        if subprocess.run([python, "-c", "import " + module], stderr=subprocess.DEVNULL).returncode == 0:
            return python
    raise unittest.SkipTest("no interpreter here has " + module)


class Programs(unittest.TestCase):
    def test_the_validator_of_the_standard_library_finds_nothing(self):
        for app in "checked:app", "checked:streaming":
            with self.subTest(app), Worker(app) as worker:
                front = worker.connect()
                for method, body in ("GET", None), ("POST", b"body\n"), ("HEAD", None):
                    length = {} if body is None else {"CONTENT_LENGTH": str(len(body))}
                    status, fields, given = front.get("/", method, body, **length)
                    self.assertEqual(status, "200 OK", worker.stderr())
                    if app == "checked:app" and method != "HEAD":
                        self.assertEqual(given, body or b"checked")
                self.assertNotIn("Error", worker.stderr())

    def test_Flask(self):
        with Worker("flask_app:app", python=first_with("flask")) as worker:
            front = worker.connect()
            self.assertEqual(front.get("/")[2], b"flask says hello")
            form = {"CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": "9"}
            self.assertEqual(front.get("/form", "POST", b"name=Lena", **form)[2], b"name is Lena")
            self.assertEqual(front.get("/stream")[2], b"01234")
            self.assertEqual(front.get("/", "HEAD")[2], b"")
            self.assertEqual(front.get("/nosuch")[0], "404 NOT FOUND")
            with open(os.path.join(APPS, "flask_app.py"), "rb") as file:
                self.assertEqual(front.get("/file")[2], file.read())
            worker.term()
            self.assertEqual(worker.wait(), 0)
            self.assertEqual(worker.stderr(), "")

    def test_Django(self):
        with Worker("django_app:app", python=first_with("django")) as worker:
            front = worker.connect()
            status, fields, body = front.get("/", HTTP_HOST="example.com")
            self.assertEqual((status, body), ("200 OK", b"django says hello"))
            self.assertIn(("Content-Length", "17"), fields)
            body = b"x" * 60000
            self.assertEqual(front.get("/body", "POST", body, CONTENT_LENGTH="60000")[2], body)
            self.assertEqual(front.get("/", "HEAD")[2], b"")
            with open(os.path.join(APPS, "django_app.py"), "rb") as file:
                self.assertEqual(front.get("/file")[2], file.read())
            worker.term()
            self.assertEqual(worker.wait(), 0)


if __name__ == "__main__":
    unittest.main()
