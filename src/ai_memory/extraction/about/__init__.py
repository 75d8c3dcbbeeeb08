"""What a text is about: everything that names one person, project or identifier, however it is spelt."""
