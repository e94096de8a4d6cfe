"""The draft: an edited underdrawing answered at once, without any training, by carrying the picture's own pixels."""
