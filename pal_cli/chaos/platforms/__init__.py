"""Chat platforms on loopback: each a process of its own that speaks the wire of the real one, with faults to order."""
