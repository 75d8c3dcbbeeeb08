"""How fast, how big and compared with whom: `make bench`."""
