"""One pass of a model and what is read from it: logits, likelihoods, stops, memory and counts."""
