"""The engine: a server that queues, stores and supervises. It computes nothing and imports neither NumPy nor torch."""
