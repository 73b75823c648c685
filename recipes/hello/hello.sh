#!/bin/sh
# A whole image without a base: two programs of this machine with the libraries they need, and a file of yours.
# Prints the image's ID. With SOURCE_DATE_EPOCH set, it is the same ID everywhere.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

c=$(builder from scratch)
# The working container goes, also when a step failed; the image stays.
trap 'builder rm "$c" >/dev/null' EXIT

# --closure: programs at their own paths, with their loader and their shared libraries.
builder copy -q --closure "$c" /usr/bin/env /usr/bin/cat
# Modes and times are said here, so that it does not count how and when this folder was checked out.
builder copy -q --chmod u=rwX,go=rX --timestamp "${SOURCE_DATE_EPOCH:-0}" "$c" "$here/site/" /srv/

# The programs prove themselves while the image is built; standard output is kept for the image's ID.
builder run "$c" -- env cat /srv/greeting.txt >&2

builder config --env GREETING=hello --cmd '["env", "cat", "/srv/greeting.txt"]' \
  --label org.opencontainers.image.title=hello "$c"
builder commit "$c" hello
