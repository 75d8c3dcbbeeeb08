"""Judged questions from files in the formats that they are published in, and in a format for any others."""

from ai_memory.evaluate.datasets.base import DataSet, Document, Group, Query, parse_time, pooled, without_category
from ai_memory.evaluate.datasets.formats import FORMATS, data_sets_in
from ai_memory.evaluate.datasets.jsonl import load_jsonl

__all__ = [
    "FORMATS",
    "DataSet",
    "Document",
    "Group",
    "Query",
    "data_sets_in",
    "load_jsonl",
    "parse_time",
    "pooled",
    "without_category",
]
