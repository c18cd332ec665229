# Looks for the app of a Python project, and whether it is WSGI or ASGI. Reads the sources (ast) and runs nothing of them;
# only what they do not tell is imported and looked at, here, in a process that ends. Answers on descriptor 3 with JSON:
#     {"found": [{"target": "shop.wsgi:application", "kind": "wsgi" | "asgi" | "", "path": "" | "src", "file": "shop/wsgi.py"}],
#      "near": []}
# More than one is for a person to choose from. Where there is none, "near" is what has the usual names in a file by another one.
#     python -c "<this>" [TARGET]      in the project's folder; with a TARGET it is only told of which kind that is
import ast
import json
import os
import sys

ANSWER = 3
LARGEST = 1 << 20  # of a source that is read
MOST_NEAR = 100  # files that are looked into
FILES = ("app", "main", "wsgi", "asgi")
NAMES = ("app", "application")
FACTORIES = ("create_app", "make_app")
NOT_THE_APP = ("tests", "test", "docs", "examples", "scripts", "migrations")
MADE_BY = {
    "flask.Flask": "wsgi", "bottle.Bottle": "wsgi", "bottle.default_app": "wsgi", "falcon.App": "wsgi",
    "falcon.API": "wsgi", "django.core.wsgi.get_wsgi_application": "wsgi", "pyramid.config.Configurator": "",
    "werkzeug.middleware.proxy_fix.ProxyFix": "wsgi", "whitenoise.WhiteNoise": "wsgi",
    "fastapi.FastAPI": "asgi", "starlette.applications.Starlette": "asgi", "quart.Quart": "asgi",
    "litestar.Litestar": "asgi", "sanic.Sanic": "asgi", "falcon.asgi.App": "asgi", "blacksheep.Application": "asgi",
    "django.core.asgi.get_asgi_application": "asgi", "channels.routing.ProtocolTypeRouter": "asgi",
    "asgiref.wsgi.WsgiToAsgi": "asgi", "a2wsgi.ASGIMiddleware": "wsgi", "a2wsgi.WSGIMiddleware": "asgi",
}


class Source:
    """A module that was read: what it binds at its top, and what it imports."""

    def __init__(self, name, file, root=""):
        self.name, self.file, self.root = name, file, root
        with open(file, "rb") as opened:
            text = opened.read(LARGEST + 1)
        self.tree = ast.parse(text if len(text) <= LARGEST else b"", file)
        self.imported, self.bound = {}, {}
        for node in statements(self.tree.body):
            self.bind(node)

    def bind(self, node):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self.bound[target.id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            self.bound[node.target.id] = node.value
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.bound[node.name] = node
        for name, origin in origins(node, self.package()):
            self.imported[name] = origin
            if isinstance(node, ast.ImportFrom):
                self.bound[name] = node

    def package(self):
        return self.name if self.file.endswith("__init__.py") else self.name.rpartition(".")[0]

    def names(self):
        """The usual names that are there; the second of two that are the same is left out."""
        there = [name for name in NAMES if name in self.bound]
        if len(there) == 2:
            for one, other in (there, there[::-1]):
                if isinstance(self.bound[one], ast.Name) and self.bound[one].id == other:
                    return [other]
        if there:
            return there
        return [name + "()" for name in FACTORIES if is_factory(self.bound.get(name))][:1]


def statements(body):
    """Those of a module that run when it is imported, conditions and all."""
    for node in body:
        yield node
        for part in ("body", "orelse", "handlers", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.With, ast.ExceptHandler)):
                yield from statements(getattr(node, part, []))


def origins(node, package):
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname or alias.name.partition(".")[0]), (alias.name if alias.asname else alias.name.partition(".")[0])
    elif isinstance(node, ast.ImportFrom):
        steps = package.split(".") if package else []
        base = ".".join(steps[:len(steps) - node.level + 1]) if node.level else ""
        module = ".".join(filter(None, (base, node.module)))
        for alias in node.names:
            yield (alias.asname or alias.name), module + "." + alias.name


def is_factory(node):
    if isinstance(node, ast.ImportFrom):
        return True
    if not isinstance(node, ast.FunctionDef):
        return False
    arguments = node.args
    required = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return required == 0 and None not in arguments.kw_defaults


def kind_in(source, name, depth=0):
    """"wsgi", "asgi", or "" where the text does not tell."""
    is_call = name.endswith("()")
    node = source.bound.get(name[:-2] if is_call else name)
    if isinstance(node, ast.ImportFrom):
        return kind_of_imported(source, name, depth)
    if is_call:
        return kind_of_result(source, node, depth)
    return kind_of_value(source, node, depth)


def kind_of_imported(source, name, depth):
    origin = source.imported[name.rstrip("()")]
    module, _, attribute = origin.rpartition(".")
    found = read_module(module) if depth < 4 else None
    return kind_in(found, attribute + ("()" if name.endswith("()") else ""), depth + 1) if found else ""


def kind_of_value(source, node, depth):
    if isinstance(node, ast.AsyncFunctionDef):
        return "asgi" if len(node.args.args) == 3 else ""
    if isinstance(node, ast.FunctionDef):
        return "wsgi" if len(node.args.args) - len(node.args.defaults) == 2 else ""
    if isinstance(node, ast.Name) and depth < 4:
        return kind_in(source, node.id, depth + 1)
    if not isinstance(node, ast.Call):
        return ""
    kind = MADE_BY.get(dotted(node.func, source.imported), "")
    if not kind and isinstance(node.func, ast.Name) and depth < 4:
        return kind_in(source, node.func.id + "()", depth + 1) if node.func.id in source.bound else ""
    return kind


def kind_of_result(source, node, depth):
    """Of what a factory returns."""
    if not isinstance(node, ast.FunctionDef):
        return ""
    imported, values = dict(source.imported), {}
    for step in ast.walk(node):
        imported.update(origins(step, source.package()))
        if isinstance(step, ast.Assign) and isinstance(step.targets[0], ast.Name):
            values.setdefault(step.targets[0].id, step.value)
    for step in ast.walk(node):
        if isinstance(step, ast.Return) and step.value is not None:
            value = values.get(step.value.id) if isinstance(step.value, ast.Name) else step.value
            return MADE_BY.get(dotted(value.func, imported), "") if isinstance(value, ast.Call) else ""
    return ""


def dotted(node, imported):
    steps = []
    while isinstance(node, ast.Attribute):
        steps.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in imported:
        return ""
    return ".".join([imported[node.id]] + steps[::-1])


def read_module(name):
    for root in ("", "src"):
        base = os.path.join(root, *name.split("."))
        for file in (base + ".py", os.path.join(base, "__init__.py")):
            if name and os.path.isfile(file):
                return Source(name, file, root)
    return None


# -- where it may be -----------------------------------------------------------------------------------------


def from_django():
    if not os.path.isfile("manage.py"):
        return []
    settings = settings_module(Source("manage", "manage.py"))
    for text in settings_say(settings):
        module, _, name = text.rpartition(".")
        source = read_module(module)
        if source:
            return [(source, name)]
    steps = settings.split(".")
    for count in range(len(steps) - 1, 0, -1):
        for last in ("wsgi", "asgi"):
            source = read_module(".".join(steps[:count] + [last]))
            if source and "application" in source.bound:
                return [(source, "application")]
    return []


def settings_module(manage):
    for node in ast.walk(manage.tree):
        if (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setdefault"
                and len(node.args) == 2 and all(isinstance(argument, ast.Constant) for argument in node.args)
                and node.args[0].value == "DJANGO_SETTINGS_MODULE"):
            return str(node.args[1].value)
    return ""


def settings_say(settings):
    """Who says which ASGI application there is means it: startproject says only the other."""
    source = read_module(settings)
    for name in ("ASGI_APPLICATION", "WSGI_APPLICATION"):
        node = source.bound.get(name) if source else None
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def from_files(root, package, files):
    for file in files:
        path = os.path.join(root, package, file + ".py")
        if os.path.isfile(path):
            name = ".".join(filter(None, (package, "" if file == "__init__" else file)))
            source = Source(name, path, root)
            yield from ((source, name) for name in source.names())


def from_packages(root):
    for package in sorted(os.listdir(root or ".")) if os.path.isdir(root or ".") else []:
        if package.isidentifier() and package not in NOT_THE_APP and \
                os.path.isfile(os.path.join(root, package, "__init__.py")):
            yield from from_files(root, package, FILES + ("__init__",))


def find():
    found = from_django() or list(from_files("", "", FILES))
    found = found or list(from_files("src", "", FILES)) + list(from_packages("")) + list(from_packages("src"))
    # Of two of which one imports the other, that one is what is to be served.
    modules = {source.name for source, _ in found}
    used = set()
    for source, _ in found:
        for origin in source.imported.values():  # "app" by `import app`, "app.name" by `from app import name`
            used |= {origin, origin.rpartition(".")[0]} & (modules - {source.name})
    return [(source, name) for source, name in found if source.name not in used] or found


def find_near():
    for file in sorted(os.listdir("."))[:MOST_NEAR]:
        name, ending = os.path.splitext(file)
        if ending == ".py" and name.isidentifier() and name not in FILES:
            try:
                yield from from_files("", "", (name,))
            except (SyntaxError, ValueError, OSError):
                pass  # nobody has asked for this one


# -- the object itself, where its text does not tell ---------------------------------------------------------


def look_at(target, root):
    sys.path.insert(0, os.path.join(os.getcwd(), root) if root else os.getcwd())
    module, _, path = target.partition(":")
    __import__(module)
    value = sys.modules[module]
    for step in path[:-2].split(".") if path.endswith("()") else path.split("."):
        value = getattr(value, step)
    value = value() if path.endswith("()") else value
    kind = kind_of(value) if callable(value) else ""  # noqa: F821 - of upstream/python/kind.py, which stands before this
    return "asgi" if kind == "asgi2" else kind or ""  # the ASGI worker says what to do about it


def told(target):
    """Of a target that a person gave: whatever is wrong with it the worker will say."""
    try:
        module, _, name = target.partition(":")
        source = read_module(module)
        kind = kind_in(source, name) if source else ""
        return kind or look_at(target, "")
    except BaseException:
        return ""


def main(arguments):
    os.set_inheritable(ANSWER, False)
    sys.dont_write_bytecode = True
    if arguments:
        found, near = [{"target": arguments[0], "kind": told(arguments[0]), "path": "", "file": ""}], []
    else:
        found = []
        candidates = find()
        near = [{"target": source.name + ":" + name, "file": source.file} for source, name in find_near()] if not candidates else []
        for source, name in candidates:
            target = source.name + ":" + name
            kind = kind_in(source, name)
            if not kind and len(candidates) == 1:
                kind = look_at(target, source.root)
            found.append({"target": target, "kind": kind, "path": source.root, "file": source.file})
    with open(ANSWER, "w") as answer:
        json.dump({"found": found, "near": near}, answer)


main(sys.argv[1:])
sys.stderr.flush()
os._exit(0)  # threads that were begun meanwhile are nobody's
