"""Projection: the point of W or W+ whose picture comes closest to a photo (Karras et al. 2020, section 5)."""
