"""The console: pages on which a person sees, asks and corrects a memory. Plain files, served as they are; see docs/console.md."""
