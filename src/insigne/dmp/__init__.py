"""The platform of intermediation (PFI): documents in, held until their patient has a qualified INS, then to the DMP."""
