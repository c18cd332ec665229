from django.http import HttpResponse, JsonResponse


def index(request):
    return HttpResponse("Hello from Django over %s\n" % request.scheme, content_type="text/plain")


def healthz(request):
    return HttpResponse("ok\n", content_type="text/plain")


def goods(request, name):
    return JsonResponse({"name": name, "method": request.method})
