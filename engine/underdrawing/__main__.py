"""`python -m underdrawing`: the command line."""

from underdrawing.commands.main import main

if __name__ == "__main__":
    main()
