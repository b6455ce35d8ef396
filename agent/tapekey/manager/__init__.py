"""The key manager: keystore and rules behind the few questions that a mount asks."""
