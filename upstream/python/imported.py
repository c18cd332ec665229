# Tells the supervisor in which folders the modules lie that this process has imported, so that it can watch them
# (`reload = true`): datagrams for NOTIFY_SOCKET, of lines IMPORTED=folder. What the interpreter brings with it and what was
# installed beside it does not change while one works on an app, and is left out.
import os
import sys
import threading
import time
from socket import AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, socket

MOST_BYTES = 4096  # of a datagram: supervisor/readiness.h
LOOK_AGAIN = 0.5  # seconds; some modules are imported by the first request that needs them
INSTALLED = ("site-packages", "dist-packages")

to_whom = None  # the path of NOTIFY_SOCKET; None: nobody wants to know
told = set()


def tell_to(notify):
    global to_whom
    to_whom = notify


def tell(error=None):
    """Those that have not been told. `error`: why an import failed; its modules are not in sys.modules any more, but the
    next try may hang on a change of them."""
    if not to_whom:
        return
    new = folders_of(imported_files() + files_of(error)) - told
    told.update(new)
    try:
        with socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC) as notify:
            for datagram in datagrams(sorted(new)):
                notify.sendto(datagram, to_whom)
    except OSError:
        pass  # it serves as well without being watched


def go_on_telling():
    if to_whom:
        threading.Thread(target=tell_later, name="portherd-imported", daemon=True).start()


def tell_later():
    known = 0
    while True:
        if len(sys.modules) != known:
            known = len(sys.modules)
            tell()
        time.sleep(LOOK_AGAIN)


def imported_files():
    return [file_of(module) for module in list(sys.modules.values())]


def file_of(module):
    try:
        return module.__file__
    except Exception:  # anything may have been put there
        return None


def files_of(error):
    """Of the error's traceback, and that which could not be parsed."""
    if error is None:
        return []
    files = [getattr(error, "filename", None)]
    at = error.__traceback__
    while at is not None:
        files.append(at.tb_frame.f_code.co_filename)
        at = at.tb_next
    return files


def folders_of(files):
    own = os.path.dirname(os.__file__)
    folders = {os.path.dirname(file) for file in files if isinstance(file, str) and os.path.isabs(file)}
    return {folder for folder in folders if not is_installed(folder, own) and "\n" not in folder}


def is_installed(folder, own):
    return folder == own or folder.startswith(own + "/") or any(part in INSTALLED for part in folder.split("/"))


def datagrams(folders):
    lines = b""
    for line in (b"IMPORTED=" + os.fsencode(folder) + b"\n" for folder in folders):
        if len(lines) + len(line) > MOST_BYTES and lines:
            yield lines
            lines = b""
        lines += line
    if lines:
        yield lines
