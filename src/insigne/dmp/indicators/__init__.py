"""Indicators of the feeding of the DMP: volumes, usage targets, delays, and the years before."""
