"""A rule's lines as one C++ loop: of addresses, sizes, dtypes and numbers."""
