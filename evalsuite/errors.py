"""The errors a user can mend."""


class UsageError(Exception):
    """Bad input: one clear line that names the file, line or sample and says what to do. Exit code 2."""


class MissingDataError(UsageError):
    """Data that is not there; the line says what to get, from where, and where to put it."""
