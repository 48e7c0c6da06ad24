"""From samples to prompts of exact token ids: demonstrations, chat templates, fitting to the budget."""
