"""CDA R2 level 1 (a PDF in a structured header): building, our own checks, the official ones.

Sources: HL7 CDA R2; ANS CI-SIS « Structuration minimale des documents de santé » 1.16.8; IHE XDS-SD.
"""
