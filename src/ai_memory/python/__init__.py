"""The Python surface: the operations as typed methods, plain and as coroutines, over a service here or elsewhere."""
