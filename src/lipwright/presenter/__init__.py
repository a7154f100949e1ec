"""The computer-graphics presenter: a rendered person with exact ground truth."""
