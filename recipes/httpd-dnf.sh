#!/bin/sh
# A web server from Fedora's packages. This machine's dnf fills the image: no dnf, no python and no cache is in it.
#   sh httpd-dnf.sh                                       Fedora
#   REPO=https://mirror.example/f42 KEY=… sh httpd-dnf.sh     another repository, and the key of its packages
# Prints the image's ID. With SOURCE_DATE_EPOCH set and the same httpd.lock, it is the same ID everywhere.
set -eu
# So that it does not count who runs this.
umask 022
release=${RELEASE:-42}
repo=${REPO:-https://dl.fedoraproject.org/pub/fedora/linux/releases/$release/Everything/$(uname -m)/os/}
key=${KEY:-https://fedoraproject.org/fedora.gpg}

c=$(builder from scratch)
# The working container goes, also when a step failed; the image stays.
trap 'builder rm "$c" >/dev/null' EXIT

# Packages are checked with the key. httpd.lock has the exact packages: the first run writes it, later ones follow it.
builder dnf "$c" install --repo "fedora=$repo,gpgkey=$key" --releasever "$release" --lock httpd.lock httpd

# The mounted root is a folder like others. Your own files: cp -r site/. "$m/var/www/html/"
m=$(builder mount "$c")
echo 'hello from a container' >"$m/var/www/html/index.html"
builder umount "$c" >/dev/null

builder config --cmd '["/usr/sbin/httpd", "-DFOREGROUND"]' --port 80 "$c"
builder commit "$c" httpd
