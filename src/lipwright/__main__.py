"""`python -m lipwright` is `lipwright`: for torchrun -m, and where the program is not on the path."""

from lipwright.cli.main import main

main()
