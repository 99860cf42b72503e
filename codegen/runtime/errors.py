"""What the generated package itself can raise; a refusal of the server is the transport's to raise."""


class ParseError(ValueError):
    """A success answer does not have the shape that the API description promises."""
