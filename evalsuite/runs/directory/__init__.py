"""The files of a run directory: writing, sealing, checking, resuming."""
