"""Clients in the background, until stdin ends: each asks again and again on one connection, and on a new one when that is
closed after an answer. Prints "N requests, M failed", and the first few failures on stderr; exit status 1 if there were any.
    load.py PORT [CLIENTS]"""
import http.client
import sys
import threading

over = threading.Event()
lock = threading.Lock()
done, failed = 0, []


def ask_again_and_again(port):
    global done
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    while not over.is_set():
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            problem = None if answer.status == 200 else f"status {answer.status}"
        except (OSError, http.client.HTTPException) as error:
            problem = repr(error)
            connection.close()
        with lock:
            done += 1
            if problem:
                failed.append(problem)


clients = [threading.Thread(target=ask_again_and_again, args=(int(sys.argv[1]),))
           for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 4)]
for client in clients:
    client.start()
sys.stdin.read()
over.set()
for client in clients:
    client.join()
for problem in failed[:5]:
    print(problem, file=sys.stderr)
print(f"{done} requests, {len(failed)} failed")
sys.exit(1 if failed or not done else 0)
