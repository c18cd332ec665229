# Django in one file.
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="for the test only",
                   MIDDLEWARE=["django.middleware.common.CommonMiddleware"])


def index(request):
    return HttpResponse("django says hello")


def body(request):
    return HttpResponse(request.body)


def file(request):
    return FileResponse(open(__file__, "rb"))


urlpatterns = [path("", index), path("body", body), path("file", file)]
app = get_wsgi_application()
