"""Other tools' words for our things: our tasks inside lm-eval, lm-eval's tasks on our engines."""
