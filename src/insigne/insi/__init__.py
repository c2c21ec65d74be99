"""Téléservice INSi of the Assurance Maladie: its messages, the call, the search strategy, verification."""
