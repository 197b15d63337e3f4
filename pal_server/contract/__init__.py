"""What is said on the wire: one file per concept, msgspec structs only.

Imports nothing of pal, so a daemon, the command line and other people's programs can use it alone.
Times are UTC milliseconds. Requests refuse unknown fields; answers may gain fields, never lose them.
"""
