"""An app that tries what its path names, and answers how it went: "done ...", or the name of the error. /VERB/REST."""
import ctypes
import errno
import json
import os
import resource
import signal
import socket

import worker

PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17  # <sys/ptrace.h>
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438
libc = ctypes.CDLL(None, use_errno=True)
born_with = sorted(map(int, os.listdir("/proc/self/fd")))[:-1]  # the last one is listdir's own


def call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def me(_):
    about = {"pid": os.getpid(), "session": os.getsid(0), "group": os.getpgrp(), "uids": os.getresuid(), "gids": os.getresgid(),
             "groups": os.getgroups(), "nice": os.nice(0), "umask": os.umask(0o77), "notify": os.environ["NOTIFY_SOCKET"],
             "socket": socket.socket(fileno=os.dup(3)).getsockname(), "files": resource.getrlimit(resource.RLIMIT_NOFILE),
             "core": resource.getrlimit(resource.RLIMIT_CORE), "descriptors": born_with}
    with open("/proc/self/status") as status:
        about.update(line.strip().split(":\t", 1) for line in status if line.startswith(("Cap", "NoNewPrivs")))
    os.umask(about["umask"])
    return json.dumps(about)


def kill(pid):
    os.kill(int(pid), signal.SIGTERM)


def trace(pid):
    call(libc.ptrace(PTRACE_SEIZE, int(pid), None, None))
    libc.ptrace(PTRACE_DETACH, int(pid), None, None)


def take(pid):
    """A descriptor of it: its first one."""
    call(libc.syscall(SYS_PIDFD_GETFD, call(libc.syscall(SYS_PIDFD_OPEN, int(pid), 0)), 0, 0))


def connect(path):
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect("/" + path)


def command(path):
    with socket.socket(socket.AF_UNIX) as control:
        control.connect("/" + path)
        control.sendall(b'{"verb": "stop"}\n')
        return control.makefile().readline().strip()


def notify(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"READY=1", "/" + path)


def fork(most):
    """So many processes beside us, or why there are no more. All are gone when it returns."""
    reader, writer = os.pipe()
    children, why = [], "done"
    while len(children) < int(most):
        try:
            child = os.fork()
        except OSError as error:
            why = errno.errorcode[error.errno]
            break
        if not child:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        children.append(child)
    os.close(writer)
    for child in children:
        os.waitpid(child, 0)
    os.close(reader)
    return "%s after %d" % (why, len(children))


def files(most):
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(most), int(most)))
    except ValueError:  # as the module says EPERM
        raise PermissionError(errno.EPERM, "") from None


verbs = {"me": me, "kill": kill, "trace": trace, "take": take, "connect": connect, "command": command, "notify": notify, "fork": fork,
         "list": lambda path: len(os.listdir("/" + path)), "open": lambda path: os.open("/" + path, os.O_RDWR), "nice": lambda by: os.nice(int(by)),
         "files": files}


def story(connection, request):
    _, verb, rest = request.target.split("/", 2)
    try:
        worker.answer(connection, str(verbs[verb](rest) or "done"))
    except OSError as error:
        worker.answer(connection, errno.errorcode[error.errno])


worker.serve(story)
