"""``python -m web`` is ``muniment``."""

from web.cli import main

if __name__ == "__main__":
    main()
