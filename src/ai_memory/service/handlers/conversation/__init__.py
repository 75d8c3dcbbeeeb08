"""Conversations: messages as drafts."""
