"""Documents in: ORU and MDM messages, files and HTTP, read, judged and handed to the reception of the PFI.

Sources: ANS, volet « Transmission de documents CDA-R2 en HL7v2 » 2.1 (`CISIS_CDA_HL7_V2`); HL7 v2.5 and v2.6, with PRT
of v2.9; ANS CI-SIS « Structuration minimale ».
"""
