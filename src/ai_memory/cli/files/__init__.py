"""Files of other programs as memories: their encodings and formats, read into drafts."""
