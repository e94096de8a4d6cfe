"""The commands of `underdrawing`. Each file holds a group; whatever is heavy is imported inside the commands."""
