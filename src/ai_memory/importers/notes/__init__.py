"""Folders of notes and documents."""
