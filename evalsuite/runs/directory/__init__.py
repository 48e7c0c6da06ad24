"""The files of a run directory: written, sealed, checked, gone on with."""
