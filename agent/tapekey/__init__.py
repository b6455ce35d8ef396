"""Keys for tape drives that encrypt in hardware: made, wrapped, kept, served and recovered."""
