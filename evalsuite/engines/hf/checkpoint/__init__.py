"""A checkpoint's files: config, weights and what kind of model they make, checked before and after loading."""
