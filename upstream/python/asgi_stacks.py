# Where the tasks of the exchanges wait, printed on the signal on which faulthandler prints the threads: a coroutine that
# waits is on no thread's stack. Only a loop that turns can tell; of one that does not, the thread's stack says why.
import faulthandler
import os

from _portherd.asgi_http import name_of

MOST_FRAMES = 50
MOST_BYTES = 12 * 1024  # of what is read of a dump, the threads' part comes first


def tell_tasks_on(number, descriptor, worker):
    """worker.py has registered the signal; here a handler of the loop's is chained behind that."""
    faulthandler.unregister(number)
    worker.loop.add_signal_handler(number, tell_tasks, descriptor, worker)
    faulthandler.register(number, file=descriptor, all_threads=True, chain=True)


def tell_tasks(descriptor, worker):
    text = "\n".join(["", *map(stack_of, list(worker.exchanges))])
    try:
        os.write(descriptor, text.encode("utf-8", "backslashreplace")[:MOST_BYTES] + b"\n")
    except OSError:
        pass  # there is no room, and nobody waits for some


def stack_of(exchange):
    lines = []
    waits = exchange.task and exchange.task.get_coro()
    while waits is not None and len(lines) < MOST_FRAMES:
        frame = first_of(waits, "cr_frame", "gi_frame", "ag_frame")
        if frame is not None:
            lines.append('  File "%s", line %d in %s' % (frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        waits = first_of(waits, "cr_await", "gi_yieldfrom", "ag_await")
    return "\n".join(["Task of %s (most recent call first):" % name_of(exchange.scope), *reversed(lines)])


def first_of(waits, *names):
    return next((found for found in (getattr(waits, name, None) for name in names) if found is not None), None)
