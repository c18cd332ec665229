# What gevent.monkey does to threads and sockets, without gevent.
import _thread
import os
import socket

from hello import app


def start_new_thread(*arguments):
    raise AssertionError("a greenlet")


start_new_thread.__module__ = "gevent.thread"


class Socket(socket.socket):
    def recv_into(self, *arguments):
        raise AssertionError("a socket of another thread")

    recv = sendmsg = sendall = send = recv_into


socket.socket = Socket
if "ONLY_SOCKETS" not in os.environ:
    _thread.start_new_thread = start_new_thread
