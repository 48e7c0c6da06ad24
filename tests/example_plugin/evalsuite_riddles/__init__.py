"""A package that offers one task: riddles, answered by choosing the likeliest of four words."""

from evalsuite_riddles.task import TASKS

__all__ = ["TASKS"]
