"""Answers made elsewhere: the formats that belong to no single benchmark, and the strict join to the samples."""
