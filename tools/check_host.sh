#!/bin/sh
# What the installation needs of the machine, said in one line before pip says it in fifty.
# check_host.sh PYTHON [existing]: existing where PYTHON belongs to an environment that is there already.
python="${1:-python3}"
if ! command -v "$python" >/dev/null 2>&1; then
    echo "error: there is no '$python'; install Python 3.11 or later (Debian: apt-get install python3 python3-venv)," >&2
    echo "or name another one: make PYTHON=/path/to/python3" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "error: $("$python" --version) is too old; Python 3.11 or later is needed: make PYTHON=python3.11" >&2
    exit 1
fi
if [ "${2:-}" = existing ]; then
    if ! "$python" -m pip --version >/dev/null 2>&1; then
        echo "error: there is no pip in the environment of '$python': '$python' -m ensurepip, or conda install pip" >&2
        exit 1
    fi
elif ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    echo "error: '$python' cannot make virtual environments; Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
fi
if ! command -v git >/dev/null 2>&1; then
    echo "note: git is not installed; results will not name the commit that made them" >&2
fi
