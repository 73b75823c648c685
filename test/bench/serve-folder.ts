/** Serves the folder of its argument over HTTP on this machine, prints the address, and ends with its parent. */
import { serveRpms } from '../distro/rpm-server.js'

const server = await serveRpms(process.argv[2] ?? '.')
console.log(server.url)
process.stdin.resume().on('end', () => process.exit())
