"""The one way in which generation fails."""

from collections.abc import Iterable


class CodegenError(Exception):
    """Nothing was generated, and nothing on disk has changed.

    Args:
        where: The file or step at fault.
        problems: What is wrong, one sentence each.
    """

    def __init__(self, where: str, problems: Iterable[str]) -> None:
        self.where, self.problems = where, tuple(problems)
        super().__init__("\n".join(f"{where}: {problem}" for problem in self.problems))
