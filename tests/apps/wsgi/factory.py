# An app made by a call, an app inside of an object, and things that are no app.
import functools

import hello


def create_app():
    return hello.app


def configured_app(settings=None):
    return hello.app


def app_of(settings=None, is_test=False):
    return hello.app


def app_from(settings):
    return hello.app


def failing_app():
    return {}["missing"]


class Uncalled:
    def __call__(self, environ, start_response):
        return hello.app(environ, start_response)


class Answer:
    def __init__(self, environ, start_response):
        self.answer = hello.app(environ, start_response)

    def __iter__(self):
        return iter(self.answer)


class Bound:
    def answer(self, extra, environ, start_response):
        return hello.app(environ, start_response)

    __call__ = functools.partialmethod(answer, "extra")


def any_app(*arguments):
    return hello.app(*arguments)


class Site:
    wsgi = staticmethod(hello.app)


site = Site()
number = 5
