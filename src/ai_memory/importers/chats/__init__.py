"""What people said: conversations with assistants, mail, appointments."""
