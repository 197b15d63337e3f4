"""The edge: parses what comes over HTTP, calls one action, presents what it returned. Decides nothing."""
