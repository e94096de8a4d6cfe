"""Measuring and showing: sheets, benchmarks."""
