"""In a PID namespace of its own: /orphan leaves a process behind, which ends at once; /zombies counts those that have ended
and that nobody has taken notice of; /term sends TERM to process 1, and answers only when the file SAID tells of the drain."""
import os
import signal

import worker


def leave_an_orphan():
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.waitpid(child, 0)


def is_zombie(pid):
    try:
        with open("/proc/%s/stat" % pid) as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def wait_until_it_drains():
    while True:
        with open(os.environ["SAID"]) as said:
            if "draining" in said.read():
                return


def story(connection, request):
    if request.target == "/orphan":
        leave_an_orphan()
    if request.target == "/term":
        os.kill(1, signal.SIGTERM)
        wait_until_it_drains()
    zombies = [pid for pid in os.listdir("/proc") if pid.isdigit() and is_zombie(pid)]
    worker.answer(connection, "%d\n" % len(zombies))


worker.serve(story)
