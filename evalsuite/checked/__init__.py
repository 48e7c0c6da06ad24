"""Checks everything that a task declares and returns. An exception in its code names task, sample and file."""
