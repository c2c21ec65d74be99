"""What every connection needs: TLS contexts and certificates, a demonstration authority, back-off."""
