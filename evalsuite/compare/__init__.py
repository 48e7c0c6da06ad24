"""Tables of one or more runs."""
