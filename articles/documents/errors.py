"""What can be wrong with a file, said so that its author can mend it."""

from __future__ import annotations


class DocumentError(Exception):
    """A file that is no document: `line` (1 = the file's first, None = the whole file), `key`, `reason`."""

    def __init__(self, reason: str, *, line: int | None = None, key: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.key = key

    def __str__(self) -> str:
        where = [f"line {self.line}"] if self.line else []
        return ": ".join([*where, *([self.key] if self.key else []), self.reason])


class WrongValue(Exception):
    """A value that its key cannot have. On its way up each level puts its own key in front."""

    def __init__(self, reason: str, value: object = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line: int | None = getattr(value, "line", None)
        self.keys: list[str | int] = []

    @property
    def key(self) -> str:
        """The keys as one reads them: `images[0].width`."""
        text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.keys)
        return text.removeprefix(".")
