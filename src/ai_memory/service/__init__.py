"""The one way to the memories: every surface has the Service, or one that runs elsewhere, carry its operations out."""
