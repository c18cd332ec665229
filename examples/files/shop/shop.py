PAGE = b"""<!doctype html>
<title>Shop</title>
<link rel="stylesheet" href="/static/shop.css">
<h1>Shop</h1>
"""


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(PAGE)))])
    return [PAGE]
