"""The Python surface: the operations as typed methods, plain and as coroutines, and HTTP for those who are elsewhere."""
