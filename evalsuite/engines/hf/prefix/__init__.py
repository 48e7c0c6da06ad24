"""Requests that share a prefix: packed, planned and computed behind keys and values that are held."""
