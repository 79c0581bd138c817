"""The first minutes: init and list-templates."""
