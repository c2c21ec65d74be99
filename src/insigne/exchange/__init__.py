"""One message in, one decision, one transaction, messages out. Sockets and SQL are seen only through `ports`."""
