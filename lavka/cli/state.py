"""The folder `.lavka/`: what one clone keeps between two starts, and who may use it now."""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import environ

from lavka.cli.embedded import write_secret
from lavka.cli.trouble import Trouble

PROJECT = Path(__file__).resolve().parents[2]
# All that a shop leaves in its folder, and so all that a reset removes.
CONTENTS = (
    "beat-schedule*", "log", "loading-demo", "logins.json", "mail", "media", "postgres",
    "postgres.new", "prepared", "server.env*", "static", "static.stamp", "supervisord.*", "valkey",
)  # fmt: skip


class State:
    """The folder and the files in it; `LAVKA_STATE` moves it."""

    def __init__(self, root: Path) -> None:
        """Name the files; `open` makes the folder."""
        self.root = root
        self.postgres = root / "postgres"
        self.valkey = root / "valkey"
        self.log = root / "log"
        self.server_env = root / "server.env"
        self.logins = root / "logins.json"
        self.supervisord = root / "supervisord.conf"
        self.static_stamp = root / "static.stamp"
        self.loading_demo = root / "loading-demo"
        self.prepared = root / "prepared"
        self._lock = root / "lock"

    def open(self) -> None:
        """Make the folder and check that it can be used. Raises: Trouble."""
        _make_usable(self.root)

    def open_log(self) -> None:
        """Make the folder of the log files, in the open folder. Raises: Trouble."""
        _make_usable(self.log)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process; it is free again when the process ends, however.

        Raises: Trouble when another process holds it, with its number.
        """
        try:
            file = self._lock.open("a+")
        except OSError as fault:
            raise Trouble(f"cannot open {self._lock}: {fault.strerror}.") from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise InUse(self, file.read().strip()) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def variables(self) -> dict[str, str]:
        """What the last start noted in `server.env`; empty before the first."""
        return read_env_file(self.server_env)

    def write_variables(self, variables: Mapping[str, str]) -> None:
        """Note variables for every process of this clone, in or out of this start."""
        lines = "".join(f"{name}={value}\n" for name, value in sorted(variables.items()))
        note = "# Written by `lavka up`: settings of the servers that it runs. Yours go into .env\n"
        write_secret(self.server_env, note + lines)

    def clear(self) -> None:
        """Remove what a shop has left here, and nothing else that may be in the folder."""
        for pattern in CONTENTS:
            for path in self.root.glob(pattern):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()


class InUse(Trouble):
    """Another process works on this folder."""

    def __init__(self, state: State, holder: str) -> None:
        """Say which."""
        super().__init__(
            f"this shop runs already (process {holder}) at "
            f"{state.variables().get('LAVKA_SHOP_URL', 'its address')}; stop it first."
        )


def here() -> State:
    """The state folder of this clone, or the one in `LAVKA_STATE`."""
    return State(Path(os.environ.get("LAVKA_STATE") or PROJECT / ".lavka").absolute())


def fingerprint() -> str:
    """What the code and the installed packages are: another value after every change."""
    files = [PROJECT / "uv.lock", *PROJECT.glob("config/**/*.py"), *PROJECT.glob("lavka/**/*")]
    digest = hashlib.sha256(os.environ.get("STATIC_ROOT", "").encode())
    for file in sorted(files):
        if file.is_file() and file.suffix != ".pyc":
            found = file.stat()
            digest.update(f"{file} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file in the format of `.env`; empty when there is none."""

    # django-environ writes into its class's dictionary, which is else the process's environment.
    file: Any = type("File", (environ.Env,), {"ENVIRON": {}})
    try:
        if path.is_file():
            file.read_env(path)
    except (OSError, ValueError) as fault:
        raise Trouble(
            f"{path} cannot be read: {fault}; start over with ./run.sh --reset."
        ) from None
    return dict(file.ENVIRON)


def _make_usable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise Trouble(f"{folder} must be a folder, and a file is in its place.") from None
    except OSError as fault:
        raise Trouble(f"cannot make the folder {folder}: {fault.strerror}.") from None
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise Trouble(f"the folder {folder} cannot be written to by this user.")
