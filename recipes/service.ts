// A service whose image says how it is installed, run, stopped and removed. Prints the image's ID.
//   npx tsx service.ts
//   builder runlabel --yes --opt1 ~/.config/systemd/user install ticker     writes a unit into that folder
//   builder runlabel --yes run ticker                                       starts it in the background
//   builder runlabel --yes stop ticker                                      ends it
//   builder runlabel --yes --opt1 ~/.config/systemd/user uninstall ticker   removes the unit
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
const programs = ['sh', 'cat', 'sleep', 'cp', 'rm'].map((name) => `/usr/bin/${name}`)
const serve = "trap 'exit 0' TERM; while :; do echo tick; sleep 1; done"
// OPT1 is what --opt1 says; a value stays one word. No network, no privileges, nothing of the host but that folder.
const units = { rm: true, network: 'none', volume: ['$' + '{OPT1}:/units'] } as const

const c = await from('scratch')
try {
  await c.copy(programs, undefined, { closure: true })
  await c.run(['sh', '-c', 'cat >/ticker.service'], { input: unit })
  // These throw for what is no correct label.
  const install = label.install({ ...units, command: ['cp', '/ticker.service', '/units/'] })
  const run = label.run({ detach: true, name: 'NAME', replace: true, network: 'none', command: ['sh', '-c', serve] })
  const stop = label.stop({ words: ['podman', 'rm', '-f', 'NAME'] })
  const uninstall = label.uninstall({ ...units, command: ['rm', '-f', '/units/ticker.service'] })
  await c.config({ label: [install, run, stop, uninstall] })
  console.log((await c.commit('ticker')).id)
} finally {
  await c.remove()
}
