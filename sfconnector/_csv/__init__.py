"""CSV as the bulk APIs write and read it: RFC 4180 in UTF-8, with six delimiters and two line endings."""
