"""Which of several memories is true: decisions as pure functions of what is stored."""
