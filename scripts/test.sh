#!/bin/sh
# All tests: lint, types, then pytest. Chromium is installed where that can be done without asking.
set -eu
BIN="${VENV:-.venv}/bin"

has_chromium() {
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && return 0
  done
  return 1
}

if ! has_chromium && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Installing Chromium for the browser tests ..."
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } \
    >/dev/null 2>&1 || echo "Chromium could not be installed; the browser tests will be skipped."
fi

"$BIN/ruff" check .
"$BIN/ruff" format --check .
"$BIN/mypy"

# One thread per process: two workers on two cores must not fight for them.
export OMP_NUM_THREADS=1
"$BIN/python" -m pytest -n 2 --dist loadfile "$@"
