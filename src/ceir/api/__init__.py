"""REST API of the register, version 1: edges that translate and decide nothing."""
