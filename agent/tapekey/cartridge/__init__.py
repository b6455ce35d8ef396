"""What a cartridge is, what its memory carries, and what its tape holds. Sets no encryption parameters."""
