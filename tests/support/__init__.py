"""What several test files share: stores, servers, small models, child processes."""
