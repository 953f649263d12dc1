"""What a command says when it cannot go on: one sentence and exit code 1, no traceback."""

from pathlib import Path

import click


class Trouble(click.ClickException):
    """One clear sentence for the person at the terminal."""

    def show(self, file: object = None) -> None:
        """Print the sentence to stderr."""
        click.echo(f"lavka: {self.message}", err=True)


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log file, indented, to be shown under a sentence; empty when there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "".join(f"\n    {line}" for line in lines[-count:] if line.strip())
