"""`pal console`: administration, directly with the server."""
