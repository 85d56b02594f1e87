"""`python -m mainstay.cli`: the same as `mainstay`."""

from mainstay.cli import main

if __name__ == "__main__":
    main()
