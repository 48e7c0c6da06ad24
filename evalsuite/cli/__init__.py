"""The command line: one module a command; parse, call, print. Imported by nobody."""
