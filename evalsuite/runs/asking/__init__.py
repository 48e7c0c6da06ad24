"""From a unit to requests of exact token ids, and what happens while a model answers them."""
