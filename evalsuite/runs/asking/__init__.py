"""Makes requests from units, and watches the run while a model answers them."""
