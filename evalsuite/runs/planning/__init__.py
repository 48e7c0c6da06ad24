"""What a run will ask: cells laid out, the data read once, units that can be read again alone."""
