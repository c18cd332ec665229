"""/big is 4 MiB, everything else is "ok"."""
import worker

BIG = b"x" * (4 << 20)


def story(connection, request):
    try:
        worker.answer(connection, BIG if request.target == "/big" else "ok")
    except OSError:
        connection.close()


worker.serve(story)
