"""Speed and size, measured and compared with other products: `make bench`."""
