# Cannot be imported: the error is two frames deep in the app's own code.
def configure():
    raise RuntimeError("no settings")


configure()
