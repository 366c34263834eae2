"""The query language: what is typed, read into a tree of conditions that every engine understands."""
