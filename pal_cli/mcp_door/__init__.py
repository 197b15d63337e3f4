"""`pal mcp`: what `pal cli` can do, as tools of the Model Context Protocol."""
