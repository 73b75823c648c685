// A service whose image says how it is installed, run, stopped and removed. Prints the image's ID.
//   npx tsx service.ts                                                  on Node 20
//   builder runlabel --yes --opt1 ~/.config/systemd/user install ticker   writes a unit into that folder
//   builder runlabel --yes run ticker                                   starts it in the background
//   builder runlabel --yes stop ticker                                  ends it
//   builder runlabel --yes --opt1 ~/.config/systemd/user uninstall ticker
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { from, label } from 'builder-sdk'

const unit = `[Unit]
Description=ticker
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=builder runlabel --yes run localhost/ticker
ExecStop=builder runlabel --yes stop localhost/ticker
[Install]
WantedBy=default.target
`
const folder = await mkdtemp(join(tmpdir(), 'ticker-'))
await writeFile(join(folder, 'ticker.service'), unit)

const c = await from('scratch')
try {
  await c.copy(
    ['sh', 'sleep', 'cp', 'rm'].map((name) => `/usr/bin/${name}`),
    undefined,
    { closure: true },
  )
  await c.copy(join(folder, 'ticker.service'), '/srv/', { chmod: '644', timestamp: 0 })
  // OPT1 is what --opt1 says. A value stays one word, and these calls throw for what is no correct label.
  const units = { rm: true, network: 'none', volume: ['$' + '{OPT1}:/units'] } as const
  const serve = "trap 'exit 0' TERM; while :; do echo tick; sleep 1; done"
  const labels = [
    label.install({ ...units, command: ['cp', '/srv/ticker.service', '/units/'] }),
    label.run({ detach: true, name: 'NAME', replace: true, network: 'none', command: ['sh', '-c', serve] }),
    label.stop({ words: ['podman', 'rm', '-f', 'NAME'] }),
    label.uninstall({ ...units, command: ['rm', '-f', '/units/ticker.service'] }),
  ]
  await c.config({ label: labels })
  console.log((await c.commit('ticker')).id)
} finally {
  await c.remove()
  await rm(folder, { recursive: true })
}
