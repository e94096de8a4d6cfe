"""`python -m bench`, from a checkout: measurements of this machine, and of the product on it."""

from bench.cli import app

if __name__ == "__main__":
    app(prog_name="python -m bench")
