# Evaluates a gunicorn configuration as gunicorn does: it is Python, and run as such, by the project's own interpreter.
# Answers on descriptor 3 with JSON: the settings, each value as a list of texts, and the names of the functions (some
# are hooks). What they mean to Portherd is supervisor/gunicorn.cpp.
#     python -c "<this>" FILE
import importlib.machinery
import importlib.util
import json
import os
import sys
import types

ANSWER = 3


def texts_of(value):
    """None: nothing that a setting can be."""
    if value is None:
        return []
    if isinstance(value, (bool, int, str)):
        return [str(value)]
    if isinstance(value, float):
        return ["%d" % value if value.is_integer() else repr(value)]
    if isinstance(value, (list, tuple, set)):
        return [text for item in value for text in texts_of(item) or []]
    if isinstance(value, dict):
        return ["%s=%s" % pair for pair in value.items()]
    if isinstance(value, type):
        return [value.__module__ + "." + value.__name__]
    return [str(value)] if isinstance(value, os.PathLike) else None


def name_of(setting, value):
    """gunicorn takes numbers for users and groups; files have names."""
    try:
        if setting == "user" and isinstance(value, int):
            import pwd
            return pwd.getpwuid(value).pw_name
        if setting == "group" and isinstance(value, int):
            import grp
            return grp.getgrgid(value).gr_name
    except KeyError:
        pass
    if setting == "umask" and isinstance(value, int):
        return "%03o" % value
    return value


def main(file):
    os.set_inheritable(ANSWER, False)
    sys.path.insert(0, os.getcwd())
    path = os.path.abspath(file)
    spec = importlib.util.spec_from_file_location(
        "__config__", path, loader=importlib.machinery.SourceFileLoader("__config__", path))
    module = importlib.util.module_from_spec(spec)
    sys.modules["__config__"] = module
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    settings, functions = {}, []
    for name, value in vars(module).items():
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        if isinstance(value, types.FunctionType):
            functions.append(name)
            continue
        texts = texts_of(name_of(name, value))
        if texts is not None:
            settings[name] = texts
    with open(ANSWER, "w") as answer:
        json.dump({"settings": settings, "functions": functions}, answer)


main(sys.argv[1])
sys.stderr.flush()
os._exit(0)  # threads that were begun meanwhile are nobody's
