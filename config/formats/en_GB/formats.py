"""Times by 24 hours, as everywhere else in the newsroom; for the rest Django's own formats hold."""

DATETIME_FORMAT = "j M Y, H:i"
TIME_FORMAT = "H:i"
