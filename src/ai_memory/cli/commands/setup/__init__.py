"""Commands that make the service part of the user's machine: in programs, at the moments of a session, in the background."""
