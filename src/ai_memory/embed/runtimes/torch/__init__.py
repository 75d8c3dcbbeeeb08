"""The CUDA runtime: the same encoders in PyTorch (extra `gpu`)."""
