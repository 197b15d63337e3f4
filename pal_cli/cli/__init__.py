"""`pal cli`: what people and agents on one computer say and ask, through its daemon."""
