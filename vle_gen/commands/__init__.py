"""The commands of `vlegen`, a module per group: they parse, call the library and print.

The library is imported inside the commands, so that `vlegen --help` is there at once. `cli.py` puts them together.
"""
