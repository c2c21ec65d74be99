"""A stand-in for the DMP: what a PFI feeds is checked as far as public sources tell, kept, and shown.

Nothing here comes from `insigne.dmp`: names, codes and readers are written a second time, from the sources, so that a
mistake of the client is not made by its judge too.
"""
