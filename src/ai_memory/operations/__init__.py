"""The operations of the service, each defined once."""
