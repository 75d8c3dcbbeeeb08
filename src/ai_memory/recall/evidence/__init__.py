"""The evidence for each candidate: scores of the two searches and further features."""
