"""How far a command has come, as operators see it."""

import io

from articles.management.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_pipe_gets_a_line_every_few_seconds_with_rate_and_time_left():
    clock, pipe = Clock(), io.StringIO()
    with Progress(pipe, "files", lambda: 200_000, clock) as progress:
        for clock.now in (1, 4, 6, 7, 12):
            progress.update(2_000)
    assert pipe.getvalue().splitlines() == [
        "6,000 of 200,000 files, 1,000 a second, 3 min left",
        "10,000 of 200,000 files, 833 a second, 3 min left",
    ]


def test_a_pipe_is_not_bothered_by_what_is_soon_done_nor_are_files_counted():
    def count() -> int:
        raise AssertionError("counted for nothing")

    pipe = io.StringIO()
    with Progress(pipe, "files", count, Clock()) as progress:
        progress.update(500)
    assert pipe.getvalue() == ""


def test_long_and_short_times_are_told_in_their_units():
    clock, pipe = Clock(), io.StringIO()
    with Progress(pipe, "files", lambda: 1_000, clock) as progress:
        clock.now = 100
        progress.update(10)
        clock.now = 110
        progress.update(980)
    assert [line.rpartition(", ")[2] for line in pipe.getvalue().splitlines()] == ["2 h 45 min left", "1 s left"]


def test_a_terminal_gets_a_bar_that_knows_its_end():
    terminal = Terminal()
    with Progress(terminal, "files", lambda: 40) as progress:
        progress.update(40)
    assert "100%" in terminal.getvalue() and "40/40" in terminal.getvalue()
