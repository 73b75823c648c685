/** How podman's `container runlabel` differs, and why builder does it otherwise; docs/runlabel.md has the same sentences. */
export const podmanDifferences = {
  'split-twice':
    'podman puts the words together and splits them a second time, so that quotes inside a word and empty words are lost.',
  'expands-all': "podman also replaces variables that are quoted with '…' or a backslash.",
  'few-variables':
    'podman knows no HOME, SUDO_UID, SUDO_GID, CONFDIR, DATADIR and LOGDIR; what it does not know becomes nothing.',
  defaults: 'podman makes nothing of a variable with a default.',
  'values-are-words': 'podman lets a value become a flag, or a part of a script.',
  'own-words': 'podman replaces IMAGE, NAME and variables also in the words that the caller gives.',
  'no-shell': "podman takes a shell's operators for plain words, or drops them.",
  'unknown-flags': 'podman displays a line that it could not execute.',
  'spelt-out': 'flags that builder does not judge itself are handed to podman spelt out, with their value behind =.',
  'replaces-itself': 'podman removes the container itself; builder adds --replace to the line.',
  programs: "podman's --display shows podman where another program would be executed.",
} as const

/** One of {@link podmanDifferences}. */
export type DifferenceName = keyof typeof podmanDifferences
