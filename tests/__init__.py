"""Mirrors the packages, and: stories, browser, contracts, golden, architecture."""
