"""Labelled samples of one domain, how they shift, and how far two domains lie apart."""

from mlcourse.domains.distances import MMD, PAD, mmd, proxy_a_distance, proxy_a_floor
from mlcourse.domains.domain import Domain, deal, shift_domain
from mlcourse.domains.shifts import SHIFTS, shift

__all__ = ["MMD", "PAD", "SHIFTS", "Domain", "deal", "mmd", "proxy_a_distance", "proxy_a_floor", "shift",
           "shift_domain"]
