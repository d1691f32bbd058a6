"""The data screen: the table, its columns, what was repaired."""
