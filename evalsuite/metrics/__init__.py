"""The scorers: pure functions of texts, one module per official scorer family.

A function named after an official one returns what the official code returns for the same texts;
where the official code raises, `deviations` lists what is returned instead.
"""
