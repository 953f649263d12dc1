# Makes or mends .venv from uv.lock; needs uv, or any Python 3.12 or newer. Sourced by run.sh and
# test.sh from the project's folder; LAVKA_SYNC holds further options of `uv sync`.

fail() {
    echo "$*" >&2
    exit 1
}

is_python() { # whether the command runs, and is new enough
    "$@" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1
}

find_python() { # its real path: uv understands a bare name as a version to download
    for python in python3.14 python3.13 python3.12 python3 python \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python; do
        if is_python "$python"; then
            "$python" -c 'import sys; print(sys._base_executable)'
            return
        fi
    done
}

find_uv() {
    for uv in "$PWD/.venv/bin/uv" uv; do
        if "$uv" --version >/dev/null 2>&1; then
            echo "$uv"
            return
        fi
    done
}

make_venv() {
    rm -rf .venv
    python=$(find_python)
    if [ -n "$uv" ]; then
        "$uv" venv --quiet --python "${python:->=3.12}" .venv ||
            fail "uv could not make .venv: its reason is above."
        return
    fi
    [ -n "$python" ] ||
        fail "Python 3.12 or newer is needed and was not found: install it, or uv (https://docs.astral.sh/uv/)."
    if ! reason=$("$python" -m venv .venv 2>&1); then
        rm -rf .venv
        case $reason in
        *ensurepip*) fail "$python cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python3-venv), or uv." ;;
        *) fail "$python could not make .venv: $reason" ;;
        esac
    fi
}

unset VIRTUAL_ENV
# As pip does: a company's own certificates count too.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}"
# A shop is a dozen processes: each would compile a thousand modules where Python may not keep them.
export UV_COMPILE_BYTECODE="${UV_COMPILE_BYTECODE:-1}"
export UV_PROJECT_ENVIRONMENT="$PWD/.venv" UV_PYTHON="$PWD/.venv/bin/python"
is_python .venv/bin/python || rm -rf .venv
uv=$(find_uv)
[ -d .venv ] || make_venv
if [ -z "$uv" ]; then
    echo "Installing uv into .venv …"
    .venv/bin/python -m pip --version >/dev/null 2>&1 || make_venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9" ||
        fail "uv could not be installed: pip's reason is above."
    uv=$PWD/.venv/bin/uv
fi
# --inexact keeps uv itself and, under run.sh, the packages of the tests.
"$uv" sync --quiet --frozen --inexact ${LAVKA_SYNC} ||
    fail "The packages could not be installed: uv's reason is above."
