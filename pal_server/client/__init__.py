"""How to say it: clients of the server's API. Knows the contract and nothing else of the server."""
