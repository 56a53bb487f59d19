"""The one way out: guarded outgoing HTTP. Pure: no ORM, no settings. Nothing else opens a connection."""
