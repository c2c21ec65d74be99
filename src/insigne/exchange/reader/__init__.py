"""A second process that reads messages while this one decides on others, where there is a processor for it."""
