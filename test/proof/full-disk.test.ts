import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { command, tempDir, top } from '../lane.js'
import { isRoot } from './scene.js'

// A store on a small disk: a tmpfs, in a mount namespace that only the script sees. Each verb that meets the full disk
// must say so and leave nothing; afterwards the store is whole and works on.
const script = `
set -u
b() { "$BUILDER" --root "$DISK/root" --runroot "$DISK/run" "$@"; }
mount -t tmpfs -o size=24m small "$DISK" || exit 99
refused() {
  title=$1; shift
  if out=$("$@" 2>&1); then echo "$title: it did not fail"; else echo "$title: $? $out"; fi
  echo "$title tmp: $(ls "$DISK/root/tmp")"
}
b from --name c scratch >&2 || exit 98
refused copy b copy c "$FILES/large" /
b copy -q c "$FILES/small" / || echo "copy of a small file failed"
b commit c first >/dev/null || echo "first commit failed"
b push -q first "oci-archive:$FILES/image.tar" || echo "push failed"
refused pull b pull -q "oci-archive:$FILES/big.tar"
refused from b from -q "oci-archive:$FILES/big.tar"
b copy -q c "$FILES/small" /again || echo "second copy failed"
rest=$(df -k --output=avail "$DISK" | tail -1)
head -c "$((rest * 1024))" /dev/zero >"$DISK/filler" 2>/dev/null
refused commit b commit c second
rm "$DISK/filler"
b rm c >/dev/null || echo "rm failed"
b from --name again first >/dev/null || echo "from failed"
b commit again third >/dev/null || echo "last commit failed"
echo "containers: $(b containers -q | wc -l)"
b prune >/dev/null || echo "prune failed"
echo "check: $(b check --deep)"
`

test('a full disk during copy, pull, from and commit', async (t) => {
  const folder = tempDir(t)
  const at = (name: string) => `${folder}/${name}`
  for (const part of ['disk', 'files', 'other']) mkdirSync(at(part))
  // Bytes that do not shrink and are no hole.
  writeFileSync(at('files/large'), noise(40))
  writeFileSync(at('files/small'), noise(3))
  const env = { BUILDER: `${top}/bin/builder`, DISK: at('disk'), FILES: at('files') }
  const elsewhere = [env.BUILDER, '--root', at('other/root'), '--runroot', at('other/run')]
  for (const args of [
    ['from', '--name', 'c', 'scratch'],
    ['copy', '-q', 'c', at('files/large'), '/'],
    ['commit', '-q', 'c', `oci-archive:${at('files/big.tar')}`],
  ])
    assert.equal((await command([...elsewhere, ...args])).code, 0)
  const enter = isRoot() ? ['unshare', '-m'] : [env.BUILDER, 'unshare']
  const { stdout, stderr, code } = await command([...enter, 'sh', '-c', script], { env })
  assert.equal(code, 0, stderr)
  for (const verb of ['copy', 'pull', 'from', 'commit']) {
    assert.match(stdout, new RegExp(`^${verb}: 125 builder: .*the disk is full.*; .*free some space`, 'm'), verb)
    assert.match(stdout, new RegExp(`^${verb} tmp: $`, 'm'), stdout)
  }
  assert.doesNotMatch(stdout, /failed|did not fail|ENOSPC/, stdout)
  assert.match(stdout, /^containers: 1$/m)
  assert.match(stdout, /^check: the store is whole: /m)
})

function noise(megabytes: number): Buffer {
  const bytes = Buffer.alloc(megabytes << 20)
  let state = 1
  for (let i = 0; i < bytes.length; i += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    bytes.writeInt32LE(state, i)
  }
  return bytes
}
