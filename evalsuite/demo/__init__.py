"""The demo: a miniature world of generated benchmarks and two small checkpoints trained on it."""
