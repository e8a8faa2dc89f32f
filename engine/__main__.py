"""`python -m engine ...`: the workbench from a terminal."""

from engine.cli import main

if __name__ == "__main__":
    main()
