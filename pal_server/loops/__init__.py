"""What the server does without being asked. Each loop has a `step()`, which tests call by hand."""
