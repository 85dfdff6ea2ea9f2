"""`python -m tollbook.accelerators`: as `tollbook-sampler`."""

from tollbook.accelerators.command import main

if __name__ == "__main__":
    raise SystemExit(main())
