"""A stand-in for the téléservice INSi: an HTTPS server with client certificates, test people and faults on demand."""
