"""SCSI as bytes and values: commands, pages, sense. Pure: nothing here talks to a device."""
