"""iSCSI (RFC 7143, ErrorRecoveryLevel 0), both roles, sans-IO: bytes in, events out; no socket, clock or log."""
