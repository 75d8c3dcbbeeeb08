"""What speaks for each candidate: scores of the searches and further features."""
