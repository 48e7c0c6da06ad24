"""From samples to prompts of exact token ids: demonstrations, chat templates, cuts to the budget."""
