"""What can go wrong with a fetch, in one family."""


class FetchError(Exception):
    """A fetch that was refused or failed.

    `code` is stable and short ("forbidden_address", "http_404"), `detail` is plain words for an editor, and
    `passing` says whether the same fetch may well succeed later. `retry_after` is the pause in seconds that the
    host itself asked for, if it did.
    """

    def __init__(self, code: str, detail: str, *, passing: bool = False, retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.passing = passing
        self.retry_after = retry_after
