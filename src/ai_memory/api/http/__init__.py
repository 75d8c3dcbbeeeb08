"""HTTP itself: headers, query strings, bodies, responses, and who may call."""
