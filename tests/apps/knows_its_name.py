"""Refuses every request that is not for shop.example.com, as Django does with ALLOWED_HOSTS."""
import worker


def story(connection, request):
    is_known = request.field("Host") == "shop.example.com"
    worker.answer(connection, "", "200 OK" if is_known else "400 Bad Request")


worker.serve(story)
