// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are a Containerfile's variables
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseContainerfile } from '../../sdk/containerfile/parse.js'
import { errorAt, pointAt } from '../../sdk/containerfile/point-at.js'
import { preprocessContainerfile } from '../../sdk/containerfile/preprocess.js'
import { plainSource, type SourceText } from '../../sdk/containerfile/source-text.js'
import { tempDir } from '../lane.js'

// The whole message, as a user sees it.
const mistakes: [why: string, text: string, message: string][] = [
  [
    'a slip in an instruction',
    'FROM a\nCPOY a /b',
    `
parse Containerfile:2:1: CPOY is not an instruction; did you mean COPY?
  2 | CPOY a /b
    | ^^^^`,
  ],
  [
    'behind a byte order mark',
    '\uFEFFCPOY a',
    `
parse Containerfile:1:1: CPOY is not an instruction; did you mean COPY?
  1 | CPOY a
    | ^^^^`,
  ],
  [
    'a slip in FROM',
    'FORM a',
    `
parse Containerfile:1:1: FORM is not an instruction; did you mean FROM?
  1 | FORM a
    | ^^^^`,
  ],
  [
    'a line that lost its escape',
    'FROM a\nRUN b &&\n    apt-get install c',
    `
parse Containerfile:3:5: apt-get is not an instruction; end the line before it with \\ if it belongs to that
  3 |     apt-get install c
    |     ^^^^^^^`,
  ],
  [
    'what is no Containerfile',
    'apiVersion: v1\n',
    `
parse Containerfile:1:1: apiVersion: is not an instruction; instructions are FROM, ARG, RUN, COPY, ADD, ENV, LABEL, CMD, ENTRYPOINT, SHELL, HEALTHCHECK, EXPOSE, VOLUME, USER, WORKDIR, STOPSIGNAL, MAINTAINER, ONBUILD
  1 | apiVersion: v1
    | ^^^^^^^^^^^`,
  ],
  [
    'a slip in a flag',
    'FROM a\nCOPY --form=b c d',
    `
parse Containerfile:2:6: COPY has no flag --form; did you mean --from?
  2 | COPY --form=b c d
    |      ^^^^^^`,
  ],
  [
    'a slip in a flag on a line of its own',
    'FROM a\nRUN --network=none \\\n\t--mout=type=tmpfs,target=/x b',
    `
parse Containerfile:3:2: RUN has no flag --mout; did you mean --mount?
  3 |  --mout=type=tmpfs,target=/x b
    |  ^^^^^^`,
  ],
  [
    'a flag that nothing is near to',
    'FROM a\nADD --verbose b c',
    `
parse Containerfile:2:5: ADD has no flag --verbose; it has --chown, --chmod, --link, --exclude, --checksum, --keep-git-dir, --unpack
  2 | ADD --verbose b c
    |     ^^^^^^^^^`,
  ],
  [
    'a flag where none are',
    'FROM a\nENV --x b=c',
    `
parse Containerfile:2:5: ENV has no flag --x; ENV takes no flags
  2 | ENV --x b=c
    |     ^^^`,
  ],
  [
    'ADD --from',
    'FROM a\nADD --from=b c d',
    `
parse Containerfile:2:5: ADD has no flag --from; COPY has it
  2 | ADD --from=b c d
    |     ^^^^^^`,
  ],
  [
    'a flag twice',
    'FROM a\nCOPY --chown=1 --chown=2 c d',
    `
parse Containerfile:2:16: --chown is given twice; keep one of them
  2 | COPY --chown=1 --chown=2 c d
    |                ^^^^^^^`,
  ],
  [
    'a flag without its value',
    'FROM a\nCOPY --from b c',
    `
parse Containerfile:2:6: --from has no value; write --from=VALUE
  2 | COPY --from b c
    |      ^^^^^^`,
  ],
  [
    'a switch with another value',
    'FROM a\nCOPY --link=yes b c',
    `
parse Containerfile:2:6: --link is true or false, not "yes"
  2 | COPY --link=yes b c
    |      ^^^^^^`,
  ],
  [
    'a network that is none',
    'FROM a\nRUN --network=bridge b',
    `
parse Containerfile:2:5: --network cannot be bridge; write one of default, none, host
  2 | RUN --network=bridge b
    |     ^^^^^^^^^`,
  ],
  [
    'a security that is none',
    'FROM a\nRUN --security=off b',
    `
parse Containerfile:2:5: --security cannot be off; write one of sandbox, insecure
  2 | RUN --security=off b
    |     ^^^^^^^^^^`,
  ],
  [
    'a heredoc that does not end',
    'FROM a\nRUN b \\\n && cat <<EOF\nx\n EOF\n',
    `
parse Containerfile:3:9: the heredoc EOF never ends; end it with a line that says only EOF, without blanks around it
  3 |  && cat <<EOF
    |         ^^^^^`,
  ],
  [
    'a heredoc as a destination',
    'FROM a\nCOPY b <<EOF\nEOF',
    `
parse Containerfile:2:8: the destination of COPY cannot be a heredoc
  2 | COPY b <<EOF
    |        ^^^^^`,
  ],
  [
    'a heredoc of COPY with a blank',
    'FROM a\nCOPY << EOF /b\nEOF',
    `
parse Containerfile:2:6: << is not the mark of a heredoc; write <<NAME, without blanks in it
  2 | COPY << EOF /b
    |      ^^`,
  ],
  [
    'an array of other things',
    'FROM a\nCMD ["b", 3]',
    `
parse Containerfile:2:5: an array can hold only strings, and 3 is none; put it into double quotes
  2 | CMD ["b", 3]
    |     ^^^^^^^^`,
  ],
  [
    'one argument of COPY',
    'FROM a\nCOPY b',
    `
parse Containerfile:2:6: COPY has one argument; write COPY SOURCE … DESTINATION
  2 | COPY b
    |      ^`,
  ],
  [
    'none',
    'FROM a\nCOPY --from=b',
    `
parse Containerfile:2:1: COPY needs a source and a destination
  2 | COPY --from=b
    | ^^^^`,
  ],
  [
    'RUN without a command',
    'FROM a\nRUN --network=none',
    `
parse Containerfile:2:1: RUN needs a command
  2 | RUN --network=none
    | ^^^`,
  ],
  [
    'CMD without a command',
    'FROM a\nCMD',
    `
parse Containerfile:2:1: CMD needs a command, or [] for none
  2 | CMD
    | ^^^`,
  ],
  [
    'ENV without a value',
    'FROM a\nENV B',
    `
parse Containerfile:2:5: ENV B has no value; write ENV B=VALUE
  2 | ENV B
    |     ^`,
  ],
  [
    'a blank too much in ENV',
    'FROM a\nENV b=c d e=f',
    `
parse Containerfile:2:9: there is no = in d; write ENV NAME=VALUE, with quotes around a value that has blanks
  2 | ENV b=c d e=f
    |         ^`,
  ],
  [
    'LABEL without a name',
    'FROM a\nLABEL =c',
    `
parse Containerfile:2:7: the name in front of = is missing; write LABEL NAME=VALUE, with quotes around a value that has blanks
  2 | LABEL =c
    |       ^^`,
  ],
  [
    'ARG without a name',
    'ARG =c\nFROM a',
    `
parse Containerfile:1:5: the name in front of = is missing
  1 | ARG =c
    |     ^^`,
  ],
  [
    'a slip in AS',
    'FROM a SA b',
    `
parse Containerfile:1:8: SA stands where AS belongs; FROM is written FROM IMAGE or FROM IMAGE AS NAME
  1 | FROM a SA b
    |        ^^`,
  ],
  [
    'AS without a name',
    'FROM a AS',
    `
parse Containerfile:1:8: the name after AS is missing; FROM is written FROM IMAGE or FROM IMAGE AS NAME
  1 | FROM a AS
    |        ^^`,
  ],
  [
    'a word too many',
    'FROM a AS b # c',
    `
parse Containerfile:1:13: # is one word too many; FROM is written FROM IMAGE or FROM IMAGE AS NAME
  1 | FROM a AS b # c
    |             ^`,
  ],
  [
    'a stage whose name is a number',
    'FROM a AS 1',
    `
parse Containerfile:1:11: 1 cannot be the name of a stage; it begins with a letter and holds letters, digits, -, _ and .
  1 | FROM a AS 1
    |           ^`,
  ],
  [
    'FROM without an image',
    'FROM --platform=linux/arm64',
    `
parse Containerfile:1:1: FROM needs an image, or scratch
  1 | FROM --platform=linux/arm64
    | ^^^^`,
  ],
  [
    'an instruction in front of FROM',
    'RUN b\nFROM a',
    `
parse Containerfile:1:1: RUN stands in front of the first FROM; only ARG can; begin the stage with FROM IMAGE
  1 | RUN b
    | ^^^`,
  ],
  [
    'no instruction',
    '# only a comment\n',
    `
parse Containerfile:1: there is no instruction in it; begin with FROM IMAGE
  1 | # only a comment`,
  ],
  [
    'no FROM',
    'ARG a\n',
    `
parse Containerfile:1: there is no FROM; begin with FROM IMAGE
  1 | ARG a`,
  ],
  [
    'SHELL that is no array',
    'FROM a\nSHELL /bin/bash -c',
    `
parse Containerfile:2:7: SHELL takes only an array in JSON; write SHELL ["/bin/sh", "-c"]
  2 | SHELL /bin/bash -c
    |       ^^^^^^^^^^^^`,
  ],
  [
    'HEALTHCHECK of another kind',
    'FROM a\nHEALTHCHECK curl b',
    `
parse Containerfile:2:13: HEALTHCHECK does not know curl; write HEALTHCHECK CMD COMMAND or HEALTHCHECK NONE
  2 | HEALTHCHECK curl b
    |             ^^^^`,
  ],
  [
    'HEALTHCHECK without a command',
    'FROM a\nHEALTHCHECK CMD',
    `
parse Containerfile:2:13: the command after HEALTHCHECK CMD is missing
  2 | HEALTHCHECK CMD
    |             ^^^`,
  ],
  [
    'HEALTHCHECK NONE with one',
    'FROM a\nHEALTHCHECK NONE b',
    `
parse Containerfile:2:13: HEALTHCHECK NONE takes no arguments
  2 | HEALTHCHECK NONE b
    |             ^^^^`,
  ],
  [
    'a time without its unit',
    'FROM a\nHEALTHCHECK --interval=30 CMD b',
    `
parse Containerfile:2:13: --interval=30 is not a time; write it as 30s, 1m30s or 500ms
  2 | HEALTHCHECK --interval=30 CMD b
    |             ^^^^^^^^^^`,
  ],
  [
    'a time that is too short',
    'FROM a\nHEALTHCHECK --timeout=10us CMD b',
    `
parse Containerfile:2:13: --timeout=10us is less than a millisecond
  2 | HEALTHCHECK --timeout=10us CMD b
    |             ^^^^^^^^^`,
  ],
  [
    'retries that are no number',
    'FROM a\nHEALTHCHECK --retries=-1 CMD b',
    `
parse Containerfile:2:13: --retries is a whole number from 0, not -1
  2 | HEALTHCHECK --retries=-1 CMD b
    |             ^^^^^^^^^`,
  ],
  [
    'a trigger that cannot be one',
    'FROM a\nONBUILD FROM b',
    `
parse Containerfile:2:9: FROM cannot be a trigger of ONBUILD
  2 | ONBUILD FROM b
    |         ^^^^`,
  ],
  [
    'a slip in a trigger',
    'FROM a\nONBUILD COPPY b c',
    `
parse Containerfile:2:9: COPPY is not an instruction; did you mean COPY?
  2 | ONBUILD COPPY b c
    |         ^^^^^`,
  ],
  [
    'an empty trigger',
    'FROM a\nONBUILD',
    `
parse Containerfile:2:1: ONBUILD needs an instruction
  2 | ONBUILD
    | ^^^^^^^`,
  ],
  [
    'an empty volume',
    'FROM a\nVOLUME ["", "/b"]',
    `
parse Containerfile:2:8: the path of a volume cannot be empty
  2 | VOLUME ["", "/b"]
    |        ^^^^^^^^^^`,
  ],
  [
    'WORKDIR without a path',
    'FROM a\n  WORKDIR  \n',
    `
parse Containerfile:2:3: WORKDIR needs a path
  2 |   WORKDIR
    |   ^^^^^^^`,
  ],
  [
    'a directive twice',
    '# escape=`\n# escape=`\nFROM a',
    `
parse Containerfile:2: the directive escape is given twice; keep one of them
  2 | # escape=\``,
  ],
  [
    'an escape that cannot be one',
    '# escape=/\nFROM a',
    `
parse Containerfile:1: / cannot be the escape character; write \\ or \`
  1 | # escape=/`,
  ],
  [
    'a line that writes to the terminal, with wide characters',
    'FROM a\n\u200Bx\nENV 日本="語 \x1B[31m" 空',
    `
parse Containerfile:2:1: \uFFFDx is not an instruction; instructions are FROM, ARG, RUN, COPY, ADD, ENV, LABEL, CMD, ENTRYPOINT, SHELL, HEALTHCHECK, EXPOSE, VOLUME, USER, WORKDIR, STOPSIGNAL, MAINTAINER, ONBUILD
  2 | \uFFFDx
    | ^^`,
  ],
  [
    'wide characters in front',
    'FROM a\nENV 日本="語\x1B" 空',
    `
parse Containerfile:2:13: there is no = in 空; write ENV NAME=VALUE, with quotes around a value that has blanks
  2 | ENV 日本="語\uFFFD" 空
    |                ^^`,
  ],
]

describe('a mistake in a Containerfile', () => {
  for (const [why, text, message] of mistakes)
    it(why, () =>
      assert.throws(() => parseContainerfile(text), {
        name: 'BuilderError',
        code: 'INVALID',
        message: message.slice(1),
      }),
    )

  it('shows a part of a long line', () => {
    const text = `FROM a\nENV ${'a=b '.repeat(10_000)}c ${'a=b '.repeat(10_000)}`
    assert.throws(
      () => parseContainerfile(text),
      (error: Error) => {
        const [, line = '', carets = ''] = error.message.split('\n')
        assert.ok(line.length < 180)
        assert.equal(line[carets.indexOf('^')], 'c')
        return true
      },
    )
  })

  it('names the file that the author edits, through includes', () => {
    const written = ['#include "common.inc"', 'RUN {{tool}} install', 'CPOY a b']
    const source: SourceText = {
      ...plainSource('FROM a\nRUN dnf install\nCPOY a b\n', 'Containerfile.in'),
      positionOf: (line, column) => ({
        file: 'parts/common.inc',
        line: line + 6,
        text: written[line - 1] ?? '',
        ...(line === 3 && column !== undefined ? { column } : {}),
        included: [
          { file: 'parts/all.inc', line: 2 },
          { file: 'Containerfile.in', line: 1 },
        ],
      }),
    }
    assert.throws(() => parseContainerfile(source), {
      message: `parse parts/common.inc:9:1: CPOY is not an instruction; did you mean COPY?
  9 | CPOY a b
    | ^^^^
  included from parts/all.inc:2
  included from Containerfile.in:1`,
    })
  })

  it('names the line of an include that the preprocessor read', (t) => {
    const folder = tempDir(t)
    writeFileSync(join(folder, 'tools.inc'), '#define TOOL dnf\n\nRUN TOOL install a\nRUN --mout=x TOOL\n')
    const text = '# syntax=x\n#define BASE debian:12\nFROM BASE\n#include "tools.inc"\n'
    const source = preprocessContainerfile(text, { file: join(folder, 'Containerfile.in'), context: folder })
    assert.throws(
      () => parseContainerfile(source),
      (error: Error) => {
        assert.equal(
          error.message.replaceAll(`${folder}/`, ''),
          `parse tools.inc:4:5: RUN has no flag --mout; did you mean --mount?
  4 | RUN --mout=x TOOL
    |     ^^^^^^
  included from Containerfile.in:4`,
        )
        return true
      },
    )
    const [stage] = parseContainerfile(
      preprocessContainerfile(text.replace('#include', '#'), { file: 'C', context: folder }),
    ).stages
    assert.deepEqual(
      [stage?.from.image, stage?.from.position.line, stage?.from.position.text],
      ['debian:12', 3, 'FROM BASE'],
    )
  })

  it('tells a long chain of includes by its ends', () => {
    const included = Array.from({ length: 1000 }, (_, n) => ({ file: `${n}.inc`, line: 1 }))
    const lines = pointAt({ file: 'x', line: 1, text: 'RUN', included }).split('\n')
    assert.deepEqual([lines.length, lines[7], lines.at(-1)], [12, '  … 990 more …', '  included from 999.inc:1'])
  })

  it('makes the errors of other rooms as well', () => {
    const position = { file: 'Containerfile', line: 12, column: 13, text: 'COPY --from=biuld /a /b' }
    const what = { operation: 'plan', reason: 'there is no stage biuld', hint: 'did you mean build?', length: 5 }
    assert.equal(
      errorAt(position, what, 'NOT_FOUND').message,
      `plan Containerfile:12:13: there is no stage biuld; did you mean build?
  12 | COPY --from=biuld /a /b
     |             ^^^^^`,
    )
    const { code, hint, reason } = errorAt({ file: 'C', line: 1, text: '' }, { reason: 'no', cause: 1 })
    assert.deepEqual([code, hint, reason], ['INVALID', undefined, 'no\n  1 |'])
  })
})
