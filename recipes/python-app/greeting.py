"""A module of one's own is found beside the program."""


def greet(name: str) -> str:
    return f"hello {name}"
