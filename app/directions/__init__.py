"""Directions in W and in StyleSpace: found (PCA, SeFa, files, random), scaled in standard deviations, and applied."""
