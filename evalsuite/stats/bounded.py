"""An interval for a mean of bounded values, also if all values are equal."""

from __future__ import annotations

from math import sqrt

FULL = 100.0
"""Values run from 0 to this."""
Z95 = 1.959963984540054
"""The normal quantile of a two-sided 95% interval."""


def wilson(value: float, clusters: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a mean of values from 0 to 100. The observations are the documents.

    ``(p + z^2 / 2G -+ z sqrt(p (1 - p) / G + z^2 / 4G^2)) / (1 + z^2 / G)`` with ``p = value / 100`` over G documents
    (Wilson 1927, J. Am. Stat. Assoc. 22; recommended near the bounds by Brown, Cai and DasGupta 2001, Stat. Sci. 16).
    If all documents are right, it is ``[G / (G + z^2), 1]``, close to the rule of three. Of all distributions on 0 to
    100 with this mean, the one with values 0 and 100 only has the largest variance, ``p (1 - p)``. So the interval may
    be too wide for other values, but not too narrow. All questions of a document count as one observation.

    Args:
        value: the mean, 0 to 100.
        clusters: documents the mean is over; at least one.
        z: the normal quantile.

    Returns:
        Lower and upper end, 0 to 100.
    """
    share, weight = value / FULL, z * z / clusters
    centre = share + weight / 2
    half = z * sqrt(share * (1 - share) / clusters + (weight / (2 * z)) ** 2)
    low, high = (centre - half) / (1 + weight), (centre + half) / (1 + weight)
    return FULL * min(max(low, 0.0), share), FULL * max(min(high, 1.0), share)
