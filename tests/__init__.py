"""The test suite; each folder mirrors an area of the package."""
