#!/bin/sh
# A troubleshooting image: tools of this machine in an image of their own, which sees the whole host when it runs.
#   sh tools-spc.sh                       makes it and prints its ID
#   builder inspect --runlabels tools     says what it will ask for
#   sudo builder runlabel run tools       asks you, and runs it; words behind that are run instead of a shell
# With SOURCE_DATE_EPOCH set, it is the same ID everywhere.
set -eu

c=$(builder from scratch)
# The working container goes, also when a step failed; the image stays.
trap 'builder rm "$c" >/dev/null' EXIT

# --closure: programs at their own paths, with their loader and their shared libraries.
for tool in sh cat ls ps df mount; do
  set -- "$@" "$(command -v "$tool")"
done
builder copy -q --closure "$c" "$@"

builder config --env HOST=/host --cmd '["sh"]' "$c"

# atomic's set for a super-privileged container. podman reads the same label, and builder checks it here: a flag that does
# not exist, a quote that is not closed or a missing IMAGE is an error now. In short: builder run-image --spc IMAGE
builder config --runlabel "RUN=podman run -i --rm --privileged --net=host --ipc=host --pid=host \
-v /:/host -v /run:/run -v /etc/localtime:/etc/localtime \
-e HOST=/host -e NAME=NAME -e IMAGE=IMAGE --name NAME IMAGE" "$c"

builder commit "$c" tools
