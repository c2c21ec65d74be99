"""The rules of the validator, one module a subject; their words are in catalogue.toml."""
