"""The CPU runtime: encoder graphs, compiled by OpenVINO."""
