// What the tests need from the host. A test names the program it needs (`needs(t, 'skopeo')` in test/lane.ts);
// whoever needs another program adds a line here. `dnf` is the package's name there when it is another one.

/** @type {readonly import('../../bin/setup.mjs').HostPackage[]} */
export const testPackages = [
  { program: 'unshare', apt: 'util-linux' },
  { program: 'ldd', apt: 'libc-bin', dnf: 'glibc-common' },
  { program: 'cpp', apt: 'cpp' },
  { program: 'useradd', apt: 'passwd', dnf: 'shadow-utils' },
  { program: 'newuidmap', apt: 'uidmap', dnf: 'shadow-utils' },
  { program: 'crun', apt: 'crun' },
  { program: 'runc', apt: 'runc' },
  { program: 'skopeo', apt: 'skopeo' },
  { program: 'podman', apt: 'podman' },
  { program: 'buildah', apt: 'buildah' },
  { program: 'umoci', apt: 'umoci' },
  { program: 'docker-registry', apt: 'docker-registry' },
  { program: 'htpasswd', apt: 'apache2-utils', dnf: 'httpd-tools' },
  { program: 'openssl', apt: 'openssl' },
  { program: 'ostree', apt: 'ostree' },
  { program: 'dockerd', apt: 'docker.io', dnf: 'moby-engine' },
  { program: 'fuse-overlayfs', apt: 'fuse-overlayfs' },
  { program: 'shellcheck', apt: 'shellcheck', dnf: 'ShellCheck' },
  { program: 'busybox', apt: 'busybox-static', dnf: 'busybox' },
  { program: 'slirp4netns', apt: 'slirp4netns' },
  { program: 'passt', apt: 'passt' },
  { program: 'getfattr', apt: 'attr' },
  { program: 'getcap', apt: 'libcap2-bin', dnf: 'libcap' },
  { program: 'zstd', apt: 'zstd' },
  { program: 'xz', apt: 'xz-utils', dnf: 'xz' },
  { program: 'bzip2', apt: 'bzip2' },
  { program: 'git', apt: 'git' },
  { program: 'chromium', apt: 'chromium' },
  { program: 'python3', apt: 'python3' },
  { program: 'pip3', apt: 'python3-pip' },
  { program: 'make', apt: 'make' },
  { program: 'zsh', apt: 'zsh' },
  { program: 'fish', apt: 'fish' },
  { program: 'dash', apt: 'dash' },
  { program: 'tmux', apt: 'tmux' },
  { program: 'jq', apt: 'jq' },
  { program: 'strace', apt: 'strace' },
  { program: 'ssh-agent', apt: 'openssh-client', dnf: 'openssh-clients' },
  { program: 'mandoc', apt: 'mandoc' },
  { program: 'man', apt: 'man-db' },
  { program: 'dnf', apt: 'dnf' },
  { program: 'perl', apt: 'perl', dnf: 'perl-DB_File' },
  { program: 'rpm', apt: 'rpm' },
  { program: 'rpmbuild', apt: 'rpm', dnf: 'rpm-build' },
  { program: 'createrepo_c', apt: 'createrepo-c' },
  { program: 'mmdebstrap', apt: 'mmdebstrap' },
  { program: 'apt-get', apt: 'apt' },
  { program: 'dpkg-deb', apt: 'dpkg' },
  { program: 'gpg', apt: 'gpg', dnf: 'gnupg2' },
  { program: 'systemd-analyze', apt: 'systemd' },
  { program: 'kubectl', apt: 'kubernetes-client' },
]

/** All that the bare lane can see: a small distribution's essential programs, and Node. */
export const barePrograms = [
  // coreutils
  ...'[ basename cat chgrp chmod chown chroot cp cut date dd df dirname du echo env expr false head id install'.split(
    ' ',
  ),
  ...'link ln ls md5sum mkdir mkfifo mknod mktemp mv nice nohup nproc od paste printenv printf pwd readlink'.split(' '),
  ...'realpath rm rmdir seq sha256sum sleep sort split stat stty sync tail tee test timeout touch tr true'.split(' '),
  ...'truncate tsort tty uname uniq unlink wc whoami yes'.split(' '),
  // util-linux
  ...'unshare nsenter mount umount mountpoint findmnt setpriv setsid flock losetup kill more getopt'.split(' '),
  // the other essentials
  ...'sh dash bash grep egrep fgrep sed awk find xargs diff cmp tar gzip gunzip zcat hostname ps perl'.split(' '),
  ...'ldd ldconfig node'.split(' '),
]
