"""What breaks pal on purpose: chat platforms on loopback, people who talk there, and everything that can go wrong."""
