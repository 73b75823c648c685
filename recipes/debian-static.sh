#!/bin/sh
# An image for one static program: no shell and no libraries, but certificates, time zones, names of services, and a user that
# is not root. Prints the image's ID. To use it: builder from debian-static, then copy your program and config --entrypoint.
#   sh debian-static.sh                   on Debian and Ubuntu: packages from this machine's own sources
#   SUITE=bookworm sh debian-static.sh    wherever apt and the package debian-archive-keyring are
set -eu
if [ -n "${SUITE-}" ]; then from="--suite=$SUITE"; else from=--from-host; fi

c=$(builder from scratch)
# The working container goes, also when a step failed; the image stays.
trap 'builder rm "$c" >/dev/null' EXIT

# The packages' files and nothing else: no script is executed, and --no-depends leaves out what only the scripts need.
builder apt "$from" --no-depends "$c" install base-files ca-certificates netbase tzdata

# What the scripts would have done is said here: all certificates in one file, and the users.
# shellcheck disable=SC2016 # $m is the container's root, in the namespace where its owners count
builder unshare -m m="$c" sh -euc '
  cat "$m"/usr/share/ca-certificates/mozilla/*.crt >"$m/etc/ssl/certs/ca-certificates.crt"
  printf "%s\n" root:x:0:0:root:/root:/sbin/nologin nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin >"$m/etc/passwd"
  printf "%s\n" root:x:0: nonroot:x:65532: >"$m/etc/group"
  printf "%s\n" "hosts: files dns" >"$m/etc/nsswitch.conf"
  mkdir -p "$m/home/nonroot" && chmod 700 "$m/home/nonroot" && chown 65532:65532 "$m/home/nonroot"
  cd "$m/etc" && chmod 644 passwd group nsswitch.conf ssl/certs/ca-certificates.crt
'

# A number, for some runtimes refuse names where they have to know that it is not root.
builder config --user 65532:65532 --workingdir /home/nonroot --env PATH=/usr/local/bin:/usr/bin \
  --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$c"
# With SOURCE_DATE_EPOCH set, the same packages give the same ID everywhere.
builder commit -q "$c" debian-static
