# The process that a preloading app's workers are forked from: it imports the app once and keeps still. It serves
# nothing. What a forked worker does is worker.py; who asks for workers is supervisor/zygote.h.
#
# Descriptor 3 is a SOCK_SEQPACKET to the supervisor. A message is one worker to be: "<supervisor's pid> <path of its
# NOTIFY_SOCKET>" with five descriptors, in this order: its listening socket, stdout, stderr, where it prints its
# stacks, and its birth: a socket on which it says "born", the kernel saying who it is (SCM_CREDENTIALS, unix(7)), and
# then waits for a byte. Any other word there is why there is no worker. It is forked twice, so that it is the
# supervisor's child, which is a subreaper (prctl(2)). The end of descriptor 3 is the end of the zygote.
import atexit
import gc
import os
import signal
import sys
import threading
import time
from socket import AF_UNIX, SO_TYPE, SOCK_SEQPACKET, SOL_SOCKET, recv_fds, socket

from _portherd.application import CANNOT_FORK, STARTED_WRONGLY, call, find, refuse
from _portherd.report import say

CONTROL_FD = 3
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
FLEETING = 1  # seconds in which a thread that has been told to end is gone


def main(name, refuse_unfit, post_fork):
    """Returns in each worker: (the app, what it calls first, its own part of the environment). Else it does not return."""
    pid = os.getpid()
    control = control_socket()
    prctl = find_prctl()
    app = find(name)
    refuse_unfit(app, name)
    hook = find(post_fork) if post_fork else None
    end_if_forked(pid)
    refuse_deaf(control)
    refuse_threads()
    # What is there now lives for ever: no collection in a worker looks at it, and so copies its pages.
    gc.collect()
    gc.freeze()
    be_quiet()
    own = fork_workers(control, prctl)
    draw_other_numbers()
    return app, lambda: call(hook, post_fork) if hook is not None else None, own


def control_socket():
    try:
        os.set_inheritable(CONTROL_FD, False)
        control = socket(AF_UNIX, SOCK_SEQPACKET, 0, CONTROL_FD)
        control.setblocking(True)
        os.register_at_fork(after_in_child=control.close)  # neither a worker nor a child of the app has one
        return control
    except OSError as error:
        refuse("descriptor 3 is not a socket: %s" % error, STARTED_WRONGLY)


def find_prctl():
    try:
        import ctypes
        return ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError) as error:
        refuse("`preload` needs the module ctypes: %s" % error, CANNOT_FORK)


def end_if_forked(pid):
    if os.getpid() != pid:
        say("portherd: a child that the app has forked in its import came back from it, and is ended")
        os._exit(CANNOT_FORK)


def refuse_deaf(control):
    try:
        if control.getsockopt(SOL_SOCKET, SO_TYPE) == SOCK_SEQPACKET:
            return
    except OSError:
        pass
    refuse("the app cannot be preloaded: its import has closed descriptor 3, on which workers are asked for. Let it "
           "close only what it has opened, or set preload = false", CANNOT_FORK)


def refuse_threads():
    """A fork takes one thread along. The others would not be there any more, but whatever they had locked would."""
    names = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    names = sorted(names) or threads_of_libraries()
    if names:
        refuse("the app cannot be preloaded: its import has started %d thread%s (%s), and a fork takes none along. Start "
               "them in `post_fork` or on the first request, or set preload = false"
               % (len(names), "" if len(names) == 1 else "s", ", ".join(names)), CANNOT_FORK)


def threads_of_libraries():
    """Names of those that Python knows nothing of. A library that is prepared for forks (OpenBLAS) ends its own before
    one, and starts them again when it needs them: so one is tried."""
    if len(os.listdir("/proc/self/task")) == 1:
        return []
    tried = os.fork()
    if not tried:
        os._exit(0)
    os.waitpid(tried, 0)
    until = time.monotonic() + FLEETING
    while True:
        others = [task for task in os.listdir("/proc/self/task") if int(task) != threading.get_native_id()]
        if not others or time.monotonic() > until:
            return sorted(filter(None, map(name_of, others)))
        time.sleep(0.001)


def name_of(task):
    try:
        with open("/proc/self/task/%s/comm" % task) as comm:
            return comm.read().strip() + ", not Python's"
    except OSError:
        return None  # it has ended


def be_quiet():
    """Its output was the first worker's; each worker has its own."""
    flush()
    null = nowhere()
    for descriptor in 1, 2:
        if descriptor != null:
            os.dup2(null, descriptor)
    if null > 2:
        os.close(null)


def nowhere():
    try:
        return os.open(os.devnull, os.O_WRONLY)
    except OSError:  # a /dev of its own (a chroot, a container) may have none, or one for others
        reader, writer = os.pipe()
        os.close(reader)
        return writer


def flush():
    for stream in sys.stdout, sys.stderr:
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass  # the app has closed it


def fork_workers(control, prctl):
    """One for each message. Returns in the workers alone, with what be_born() has."""
    # Whatever the app does when a child ends is done in its workers: here it would be told of ours.
    apps_chld = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    while True:
        message, descriptors, _, _ = recv_fds(control, 4096, 5)
        if not message:
            os._exit(0)
        flush()
        if len(descriptors) == 5 and fork_twice(descriptors[-1]):
            signal.signal(signal.SIGCHLD, apps_chld or signal.SIG_DFL)  # None: set by C, not to be had again
            return be_born(message.decode(), descriptors, prctl)
        for descriptor in descriptors:
            os.close(descriptor)


def fork_twice(birth):
    """True in the worker, whose parent is the supervisor by then."""
    reader, writer = os.pipe()  # ends when the process between us has been waited for: before, that would be its parent
    between = fork(birth)
    if between:
        os.waitpid(between, 0)
    elif between is not None:
        os.close(writer)
        if fork(birth) != 0:
            os._exit(0)
        os.read(reader, 1)
    os.close(reader)
    if between != 0:
        os.close(writer)
    return between == 0


def fork(birth):
    """As os.fork(); None: there is no child, as whoever waits for it has been told."""
    try:
        return os.fork()
    except OSError as error:
        os.write(birth, b"cannot fork: " + error.strerror.encode())


def be_born(message, descriptors, prctl):
    """Becomes a process like one that the supervisor has started: what the environment of such a one would say."""
    parent, _, notify = message.partition(" ")
    listening, out, error, stacks, birth = above(descriptors)
    os.setsid()
    be_as_nice_in_session()
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(parent):  # it has ended meanwhile, or the app has made itself a subreaper
        os.write(birth, b"it has come to another parent than the supervisor")
        os._exit(CANNOT_FORK)
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
    return {"NOTIFY_SOCKET": notify, "PORTHERD_STACK_FD": str(stacks)}


def be_as_nice_in_session():
    """With autogroups (sched(7)) niceness counts only within a session, and this one is new."""
    try:
        with open("/proc/self/autogroup", "w") as session:
            session.write(str(os.nice(0)))
    except OSError:
        pass  # there are none


def above(descriptors):
    """Out of the way of 0 to 3, which an app may have closed."""
    import fcntl
    placed = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, CONTROL_FD + 1) for descriptor in descriptors]
    for descriptor in descriptors:
        os.close(descriptor)
    return placed


def draw_other_numbers():
    """Workers must not draw the same random numbers. `random` and OpenSSL see to that themselves."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def leave():
    """The end of a forked worker: what the app wants to be done at exit, but nothing is taken apart as Python would
    do it then: that touches all that is shared with other workers, and so copies it."""
    threading._shutdown()  # waits for the app's own threads, as Python does
    atexit._run_exitfuncs()
    flush()
    os._exit(0)
