"""Runtimes: token ids in, unit vectors out, on OpenVINO or PyTorch."""
