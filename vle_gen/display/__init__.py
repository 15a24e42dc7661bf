"""Tokens and pictures shown to a person: overlays with numbers and names, contact sheets, tables, and descriptions in words."""
