// What the launcher starts: written for any Node there is, to say what an old one would only stumble over. It runs the
// smallest bundle that has the verb, and keeps what V8 makes of it for the next time.
const fs = require('fs')
const { Script } = require('vm')

// Verbs that only read and change metadata, their other names, and what needs no verb: one small bundle has them all.
const metadataVerbs = ['config', 'containers', 'images', 'inspect', 'logs', 'rename', 'tag', 'untag', 'version']
const otherWords = ['list', 'ls', 'ps', '', 'completion', 'help']

// Modules of Node's that take 1 to 6 ms to load each, and that small verbs import without a use for them. Only what is a
// plain object, not a function or a class, can be stood in for.
const heavy = new Set(
  'child_process crypto fs/promises http https module net os timers/promises tls worker_threads zlib'
    .split(' ')
    .map((name) => `node:${name}`),
)
const standIns = new Map()

if (require.main === module) start()
else module.exports = { metadataVerbs, verbOf }

function start() {
  const version = process.versions.node
  if (Number.parseInt(version, 10) < 20) {
    process.stderr.write(`builder: start: Node.js ${version} is too old; install Node.js 20 or newer\n`)
    process.exit(125)
  }
  restoreCertificates()
  if (process.env.BUILDER_ENGINE) startEngine()
  else if (process.env.BUILDER_MAIN) import(process.env.BUILDER_MAIN).catch(sayAndEnd)
  else run(verbOf(process.argv.slice(2)))
}

// The launcher says so in a variable, for a word would be the user's.
function startEngine() {
  delete process.env.BUILDER_ENGINE
  try {
    run('engine')
  } catch (error) {
    sayAndEnd(error)
  }
}

// As when this process may have too few files open: a stack of Node's tells a user nothing.
function sayAndEnd({ message }) {
  process.stderr.write(`builder: start: ${message}
`)
  process.exit(125)
}

// Node 20 reads the file that NODE_EXTRA_CA_CERTS names whenever it starts, which takes longer than the verb. The launcher
// hides it from verbs that use no network; what they start finds it again.
function restoreCertificates() {
  if (process.env.BUILDER_HIDDEN_CERTS === undefined) return
  process.env.NODE_EXTRA_CA_CERTS = process.env.BUILDER_HIDDEN_CERTS
  delete process.env.BUILDER_HIDDEN_CERTS
}

// The first word that is neither a global option nor the value of one: all of them take one. bin/choose.ts finds the
// same, and says what is wrong.
function verbOf(words) {
  let i = 0
  while ((words[i] || '').startsWith('-')) i += /=|^(-h|-v|--help|--version)$/.test(words[i]) ? 1 : 2
  return words[i] || ''
}

function run(verb) {
  const bundle = verb === 'engine' ? 'engine' : metadataVerbs.concat(otherWords).includes(verb) ? 'metadata' : 'main'
  const file = `${__dirname}/../dist/cli/${bundle}.cjs`
  // ASCII, which needs no decoding.
  const source = fs.readFileSync(file, 'latin1')
  const kept = keptCode(source, verb)
  const script = new Script(source, { filename: file, cachedData: kept.code })
  if (kept.path && (!kept.code || script.cachedDataRejected)) keepAtExit(script, kept)
  script.runInThisContext()(requireLazily, file)
}

function requireLazily(name) {
  if (!heavy.has(name)) return require(name)
  if (!standIns.has(name)) standIns.set(name, standIn(name))
  return standIns.get(name)
}

function standIn(name) {
  let loaded
  const load = () => {
    if (!loaded) loaded = require(name)
    return loaded
  }
  return new Proxy(
    {},
    {
      get: (_, key) => load()[key],
      has: (_, key) => key in load(),
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor: (_, key) => ({ value: load()[key], enumerable: true, configurable: true }),
    },
  )
}

// Compiled code is a program that this user will run: only in a folder of this user's where nobody else can write. A
// bundle begins with its hash, because V8 itself tells two sources apart by their length alone.
function keptCode(source, verb) {
  const { XDG_CACHE_HOME, HOME, NODE_DISABLE_COMPILE_CACHE } = process.env
  const home = XDG_CACHE_HOME || HOME || ''
  if (home[0] !== '/' || NODE_DISABLE_COMPILE_CACHE || !/^[a-z]+$/.test(verb)) return {}
  const folder = `${home}${XDG_CACHE_HOME ? '' : '/.cache'}/builder`
  const path = `${folder}/${verb}-${source.slice(2, 18)}-${process.version}-${process.arch}.code`
  try {
    const found = fs.statSync(folder, { throwIfNoEntry: false })
    if (found) return isPrivate(found) ? { folder, path, code: read(path) } : {}
    // Not in the home of somebody else, as sudo may leave it.
    return fs.statSync(home).uid === process.geteuid() ? { folder, path } : {}
  } catch (_) {
    return {}
  }
}

function isPrivate({ uid, mode }) {
  return uid === process.geteuid() && (mode & 0o022) === 0
}

// The file holds the code twice, for V8 does not notice damage and would run it: to compare the two takes 0.05 ms, a sum
// over the bytes would take 2.
function read(path) {
  try {
    const twice = fs.readFileSync(path)
    const half = twice.length / 2
    const code = twice.subarray(0, half)
    return code.equals(twice.subarray(half)) ? code : undefined
  } catch (_) {
    return undefined
  }
}

// After a verb that succeeded: then it holds the functions that the verb needs, compiled. A failure costs only time.
function keepAtExit(script, { folder, path }) {
  process.on('exit', (exitCode) => {
    if (exitCode !== 0 || process.argv.includes('--help') || process.argv.includes('-h')) return
    const unfinished = `${path}.${process.pid}`
    try {
      makeFolder(folder.replace(/\/[^/]*$/, ''))
      makeFolder(folder)
      forgetOld(folder)
      const code = script.createCachedData()
      fs.writeFileSync(unfinished, Buffer.concat([code, code]), { mode: 0o600, flag: 'wx', flush: true })
      fs.renameSync(unfinished, path)
    } catch (_) {
      fs.rmSync(unfinished, { force: true })
    }
  })
}

// Not with `recursive`, which never ends where the kernel says that there can be no folder, as in /proc.
function makeFolder(folder) {
  if (!fs.existsSync(folder)) fs.mkdirSync(folder, 0o700)
}

// Code of builds and of Nodes that are gone; what is still wanted is made again.
function forgetOld(folder) {
  const month = 30 * 24 * 60 * 60 * 1000
  for (const name of fs.readdirSync(folder).filter((one) => /\.code(\.\d+)?$/.test(one))) {
    const path = `${folder}/${name}`
    if (Date.now() - fs.statSync(path).mtimeMs > month) fs.rmSync(path, { force: true })
  }
}
