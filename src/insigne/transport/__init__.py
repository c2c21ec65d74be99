"""How bytes come in and go out: MLLP server and client, watched folders."""
