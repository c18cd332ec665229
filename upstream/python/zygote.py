# The process that a preloading app's workers are forked from: it imports the app once and keeps still. It serves
# nothing. What a forked worker does is worker.py; who asks for workers is supervisor/zygote.h.
#
# Descriptor 3 is a SOCK_SEQPACKET to the supervisor. A message is one worker to be: "<supervisor's pid> <path of its
# NOTIFY_SOCKET>" with five descriptors, in this order: its listening socket, stdout, stderr, where it prints its
# stacks, and its birth: a socket on which it says that it is there, the kernel saying who it is (SCM_CREDENTIALS,
# unix(7)), and then waits for a byte. It is forked twice, so that it is the supervisor's child, which is a subreaper
# (prctl(2)). The end of descriptor 3 is the end of the zygote.
import gc
import os
import signal
import sys
import threading
from socket import AF_UNIX, SOCK_SEQPACKET, recv_fds, socket

from _portherd.application import CANNOT_FORK, CANNOT_IMPORT, STARTED_WRONGLY, call, find, refuse

CONTROL_FD = 3
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(name, post_fork):
    """Returns in a worker: (its NOTIFY_SOCKET, the app, descriptor of its stacks). Else it does not return."""
    control = control_socket()
    prctl = find_prctl()
    app = find(name)
    hook = find(post_fork) if post_fork else None
    refuse_threads()
    # What is there now lives for ever: no collection in a worker looks at it, and so copies its pages.
    gc.collect()
    gc.freeze()
    be_quiet()
    while True:
        message, descriptors, _, _ = recv_fds(control, 4096, 5)
        if not message:
            os._exit(0)
        born = fork(message, descriptors, control, prctl)
        if born is not None:
            if hook is not None:
                call(hook, post_fork)
            return born[0], app, born[1]


def control_socket():
    try:
        os.set_inheritable(CONTROL_FD, False)
        control = socket(AF_UNIX, SOCK_SEQPACKET, 0, CONTROL_FD)
        control.setblocking(True)
        return control
    except OSError as error:
        refuse("descriptor 3 is not a socket: %s" % error, STARTED_WRONGLY)


def find_prctl():
    try:
        import ctypes
        return ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError) as error:
        refuse("`preload` needs the module ctypes: %s" % error, CANNOT_FORK)


def refuse_threads():
    """A fork takes one thread along. The others are not there any more, but whatever they had locked is."""
    count = len(os.listdir("/proc/self/task"))
    if count == 1:
        return
    names = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    told = ": " + ", ".join(sorted(names)) if names else ""
    refuse("the app cannot be preloaded: its import has started %d thread%s%s. Start them later, in `post_fork` or on the "
           "first request, or set preload = false" % (count - 1, "" if count == 2 else "s", told), CANNOT_FORK)


def be_quiet():
    """Its output was the first worker's; each worker has its own."""
    flush()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)


def flush():
    for stream in sys.stdout, sys.stderr:
        if stream is not None:
            stream.flush()


def fork(message, descriptors, control, prctl):
    """In the worker: (NOTIFY_SOCKET, descriptor of the stacks). In the zygote None, when the worker is on its own."""
    flush()
    reader, writer = os.pipe()  # ends with the process between us: then the worker is the supervisor's
    between = os.fork()
    if between:
        os.close(writer)
        os.close(reader)
        for descriptor in descriptors:
            os.close(descriptor)
        os.waitpid(between, 0)
        return None
    if os.fork():
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    control.close()
    return be_born(message, descriptors, prctl)


def be_born(message, descriptors, prctl):
    parent, _, notify = message.decode().partition(" ")
    listening, out, error, stacks, birth = above(descriptors)
    os.setsid()
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(parent):
        os._exit(CANNOT_FORK)  # the supervisor has ended meanwhile
    os.dup2(out, 1)
    os.dup2(error, 2)
    os.dup2(listening, CONTROL_FD)
    for descriptor in listening, out, error:
        os.close(descriptor)
    with socket(fileno=birth) as birth:
        birth.setblocking(True)
        birth.send(b"born")
        if not birth.recv(1):
            os._exit(CANNOT_FORK)  # nobody waits for this worker any more
    return notify, stacks


def above(descriptors):
    """Out of the way of 0 to 3, which an app may have closed."""
    import fcntl
    placed = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, CONTROL_FD + 1) for descriptor in descriptors]
    for descriptor in descriptors:
        os.close(descriptor)
    return placed
