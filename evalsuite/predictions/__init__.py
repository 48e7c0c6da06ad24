"""Answers of other programs: formats that belong to no benchmark, and the strict join with samples."""
