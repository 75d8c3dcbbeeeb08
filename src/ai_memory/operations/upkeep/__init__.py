"""Operations that keep a service in order: what happens in it, its checks, its backups and its models."""
