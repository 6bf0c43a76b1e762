#!/usr/bin/bash
# Entry point of the worker image.
set -eu

exec python3 -m greetweb.worker
