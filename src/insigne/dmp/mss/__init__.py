"""MSSanté: documents mailed as XDM, what boxes answer, documents received by mail.

Sources: IHE ITI TF-2 §3.32 (XDM); ANS volets « Échange de documents de santé » and « Transmission au LPS de documents
CDA provenant d’un courriel MSSanté » 1.1.3; RFC 3461, 3464 (DSN), 8098 (MDN).
"""
