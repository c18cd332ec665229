# An app made by a call, an app inside of an object, and things that are no app.
import hello


def create_app():
    return hello.app


def failing_app():
    return {}["missing"]


class Site:
    wsgi = staticmethod(hello.app)


site = Site()
number = 5
