"""What all tests share: property tests draw the same examples in every run, with no time limit."""

from hypothesis import settings

settings.register_profile("book", deadline=None, derandomize=True, database=None)
settings.load_profile("book")
