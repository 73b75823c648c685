// What the launcher starts: written for any Node there is, to say what an old one would only stumble over.
const major = Number.parseInt(process.versions.node, 10)
if (major < 20) {
  process.stderr.write(`builder: start: Node.js ${process.versions.node} is too old; install Node.js 20 or newer\n`)
  process.exit(125)
}
import(process.env.BUILDER_MAIN || '../dist/cli/main.js')
