"""From completions to scores, and from scores to cells with their counts."""
