"""The evaluation harness: any data, the real service code."""
