"""A drive came, changed, went: what udev and sysfs tell."""
