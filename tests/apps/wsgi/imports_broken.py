# Imports by name, as frameworks do.
import importlib

importlib.import_module("broken")
