"""A Django project in one file with as many imports as a middling shop has, for bench/containers.py. No database: what waits for one waits on a
clock. /page costs about 3 ms of CPU, /wait sleeps for 50 ms, /report costs about 30 ms of CPU; /imported says how many modules there are."""
import json
import sys
import time

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only for a measurement", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, USE_TZ=True,
    INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
                    "django.contrib.messages", "django.contrib.sitemaps", "django.contrib.syndication", "django.contrib.humanize"],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
django.setup()

import asyncio, concurrent.futures, csv, decimal, email.mime.multipart, http.client, logging.config, smtplib, sqlite3, unittest.mock, xml.etree.ElementTree, xmlrpc.client, zipfile  # noqa: E401,E402,F401
import django.contrib.admin.options, django.contrib.auth.views, django.contrib.postgres, django.contrib.sitemaps.views, django.core.mail, django.core.management.commands.runserver, django.test, django.views.generic  # noqa: E401,E402,F401
import flask, jinja2, starlette.applications, werkzeug.debug  # noqa: E401,E402,F401
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.urls import path  # noqa: E402

ROWS = [{"id": i, "name": "item %d" % i, "price": i * 1.25} for i in range(200)]
PAGE = engines["django"].from_string("""<h1>{{ title }}</h1><table>
{% for row in rows %}<tr><td>{{ row.id }}</td><td>{{ row.name|upper }}</td><td>{{ row.price|floatformat:2 }}</td></tr>
{% endfor %}</table>""")


def page(request):
    return HttpResponse(PAGE.render({"title": request.path, "rows": ROWS}))


def wait(request):
    time.sleep(0.05)
    return JsonResponse({"rows": ROWS[:10]})


def report(request):
    total, text = 0, json.dumps(ROWS)
    for _ in range(850):
        total += sum(row["price"] for row in json.loads(text))
    return JsonResponse({"total": total})


def imported(request):
    return HttpResponse("%d\n" % len(sys.modules))


urlpatterns = [path("page", page), path("wait", wait), path("report", report), path("imported", imported)]
app = get_wsgi_application()
