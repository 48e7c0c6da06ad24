"""Running: plan, journal, resume; one process on one run directory."""
