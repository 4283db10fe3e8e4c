"""What the course companion teaches and runs: one module a subject, pure functions on arrays."""
