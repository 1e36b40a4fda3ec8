"""The stories of docs/from_ancestors.md: sample projects, and a test that types what the page types."""
