"""What lies on disk: manifests, the model library, model archives, the blob store, and how frames become files."""
