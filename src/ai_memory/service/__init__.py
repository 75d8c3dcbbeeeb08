"""The one door: every surface reaches memories through the Service, one method an operation."""
