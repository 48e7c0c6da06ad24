"""The plan of a run: its cells, and units that can be read again one by one."""
