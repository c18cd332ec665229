# Imports something that is not installed.
import nosuch_dependency  # noqa: F401
