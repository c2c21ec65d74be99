"""`python -m insigne`: the command line."""

from insigne.cli import main

if __name__ == "__main__":
    main()
