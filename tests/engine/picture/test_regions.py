"""Region tools: what moves, what is left behind, and what stays as it was."""
