"""Whether the weights of this machine are the published ones, and how fast they run here."""
