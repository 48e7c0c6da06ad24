"""From completions to scores to cells, with the honest counts."""
