"""The judges, and the reports that they write."""
