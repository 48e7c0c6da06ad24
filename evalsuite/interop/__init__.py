"""Our tasks inside lm-eval, and lm-eval's tasks on our engines."""
