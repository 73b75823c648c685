import { ErrorStream, inputOf, placeOfInput, terminalColumns } from '../sdk/namespace/asker.js'
import { type Caller, onBehalfOf, type Program } from '../sdk/namespace/caller.js'
import type { SessionRequest } from '../sdk/namespace/session.js'
import type { Surroundings } from '../sdk/namespace/surroundings.js'
import { answer } from './answer.js'
import { becoming, replyOf } from './session-reply.js'
import type { VerbTable } from './verb.js'
import { writeOut } from './write-out.js'

/** Answers launchers with a table of verbs, each in the launcher's own folder, umask and environment. */
export function sessionAnswers(
  table: VerbTable,
  surroundings: Surroundings,
): (request: SessionRequest) => Promise<void> {
  return async (request) => {
    if (namesOwnDescriptor(request.asker.argv) || writesBytes(request.asker.argv)) return request.answer('0 cold\n')
    const leave = surroundings.tryEnter(request.asker)
    // A process has one of each only, and to wait for a verb that may wait for this one would be the end of both.
    if (!leave) return request.answer('0 cold\n')
    const errors = new ErrorStream(request.asker)
    try {
      await answerOne(request, table, errors, leave)
    } finally {
      leave()
    }
  }
}

/** `/dev/stdin`, and the shell's `<(…)`, are another file in each process. Words of a container's command are not looked at. */
function namesOwnDescriptor(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).some((word) => ownDescriptor.test(word))
}

/** `--output -` is a stream, which an answer is not. */
function writesBytes(argv: readonly string[]): boolean {
  const place = argv.findIndex((word) => /^(?:--output|-[a-z]*o)$/.test(word))
  return argv[place + 1] === '-' || argv.some((word) => /(?:^(?:--output=|-o=?)|\bdest=)-$/.test(word))
}

const ownDescriptor = /^(?:--?[\w-]+=)?\/(?:dev\/(?:fd\/|std(?:in|out|err)$)|proc\/(?:self|thread-self)\/)/

async function answerOne(
  request: SessionRequest,
  table: VerbTable,
  errors: ErrorStream,
  leave: () => void,
): Promise<void> {
  const { asker, signal } = request
  const terminal = `/proc/${asker.pid}/fd/1`
  let became = false
  const one: Caller = {
    process: request.process,
    say: (text) => errors.say(text),
    stdin: () => inputOf(asker),
    stdinOf: placeOfInput(asker),
    get columns() {
      return errors.columns
    },
    async become(program: Program) {
      const keeps = program.keepsSession ?? false
      became = true
      await errors.done()
      const ended = request.ended(keeps)
      await request.answer(becoming(program, asker.env, keeps))
      // From here on it is not this folder that counts, and what runs may take long.
      leave()
      await ended
    },
  }
  const done = await onBehalfOf(one, () =>
    answer(asker.argv, table, {
      signal,
      get columns() {
        return terminalColumns(terminal) ?? 80
      },
      get isBold() {
        return !asker.env.NO_COLOR && asker.env.TERM !== 'dumb' && terminalColumns(terminal) !== undefined
      },
    }),
  )
  // The launcher is another program by now: the script is told. Its terminal may be gone.
  if (became) return writeOut(2, done.stderr).catch(() => {})
  await errors.done()
  await request.answer(replyOf(done))
}
