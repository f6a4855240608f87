"""``python -m moopt`` is the command ``moopt``."""

from moopt.cli import main

if __name__ == "__main__":
    main()
