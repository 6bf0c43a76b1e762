#!/usr/bin/bash
# Entry point of the web image.
set -eu

exec python3 -m waitress --listen="0.0.0.0:${PORT:-8080}" --threads="${THREADS:-4}" --call greetweb.web:create_app
