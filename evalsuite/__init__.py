"""Long-context evaluation: prompts cut to the model's window, official scorers, honest tables."""

__version__ = "0.1.0"
