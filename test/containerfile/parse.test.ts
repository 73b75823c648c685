// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are a Containerfile's variables
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseContainerfile, parseTrigger } from '../../sdk/containerfile/parse.js'
import type { FromInstruction, Instruction } from '../../sdk/containerfile/syntax.js'

/** An instruction without its place. */
function bare(instruction: FromInstruction | Instruction): object {
  const { position, original, ...rest } = instruction
  assert.ok(position.line >= 1 && original !== '')
  return rest
}

/** The instructions of a stage that begins with `FROM a`, without their places. */
function parsed(lines: string): object[] {
  return parseContainerfile(`FROM a\n${lines}`).stages.flatMap(({ instructions }) => instructions.map(bare))
}

const shell = (line: string) => ({ form: 'shell', line })
const exec = (...words: string[]) => ({ form: 'exec', words })
const run = (line: string, more: object = {}) => ({
  instruction: 'RUN',
  command: shell(line),
  heredocs: [],
  mounts: [],
  ...more,
})
const copy = (sources: string[], destination: string, more: object = {}) => ({
  instruction: 'COPY',
  sources,
  destination,
  heredocs: [],
  ...more,
})
const env = (...pairs: [string, string][]) => ({
  instruction: 'ENV',
  pairs: pairs.map(([name, value]) => ({ name, value })),
})
const body = (name: string, content: string, expand = true) => ({ name, content, expand })

const tables: Readonly<Record<string, [why: string, lines: string, ...instructions: object[]][]>> = {
  lines: [
    ['a continued line', 'RUN a \\\n  b', run('a   b')],
    ['one with blanks behind the escape', 'RUN a \\ \t\n  b', run('a   b')],
    ['comments between', 'RUN a \\\n# one\n  # two\n  b', run('a   b')],
    ['a comment at the end of one is text', 'RUN a # b \\\n c', run('a # b  c')],
    ['an empty line between', 'RUN a \\\n\n  b', run('a   b')],
    ['two escapes do not continue', 'RUN a \\\\\nRUN b', run('a \\\\'), run('b')],
    ['an escape alone on a line', '\\\nRUN a', run('a')],
    ['the file ends in one', 'RUN a \\', run('a')],
    ['the file ends without a newline', 'RUN a', run('a')],
    ['lines of other systems', 'RUN a \\\r\n  b\r\nRUN c\r\n', run('a   b'), run('c')],
    ['blanks in front', '   RUN a', run('a')],
    ['tabs between', 'RUN\ta\tb', run('a\tb')],
    ['names in any case', 'run a\nRun b', run('a'), run('b')],
    ['a name that goes on in the next line', 'RU\\\nN a', run('a')],
    ['comments everywhere', '# x\n  # y\nRUN a\n#', run('a', { comments: ['x', 'y'] })],
  ],
  RUN: [
    ['exec form', 'RUN ["a", "b c"]', { ...run(''), command: exec('a', 'b c') }],
    ['exec form in several lines', 'RUN [ "a", \\\n "b" ]', { ...run(''), command: exec('a', 'b') }],
    ['escapes of JSON', 'RUN ["\\u0041\\n"]', { ...run(''), command: exec('A\n') }],
    ['what is no JSON is shell form', "RUN ['a', 'b']", run("['a', 'b']")],
    ['an array with text behind it', 'RUN ["a"] b', run('["a"] b')],
    ['a test of the shell', 'RUN [ -e /x ]', run('[ -e /x ]')],
    ['an array that does not end', 'RUN ["a"', run('["a"')],
    ['variables stay', 'RUN echo $A "${B}"', run('echo $A "${B}"')],
    [
      'its flags',
      'RUN --mount=type=cache,target=/c --mount=type=secret,id=s --network=none --security=insecure --device=gpu a',
      run('a', {
        mounts: ['type=cache,target=/c', 'type=secret,id=s'],
        network: 'none',
        security: 'insecure',
        device: ['gpu'],
      }),
    ],
    ['a flag in quotes', 'RUN --mount="type=bind,target=/a b" c', run('c', { mounts: ['type=bind,target=/a b'] })],
    ['a flag with an escape', 'RUN --mount=target=/a\\ b c', run('c', { mounts: ['target=/a b'] })],
    [
      'flags on lines of their own',
      'RUN --network=host \\\n  --mount=target=/x \\\n  a',
      run('a', { network: 'host', mounts: ['target=/x'] }),
    ],
    ['-- ends the flags', 'RUN -- --a', run('--a')],
    ['flags behind the command are its own', 'RUN a --mount=x', run('a --mount=x')],
  ],
  heredocs: [
    ['for RUN', 'RUN <<EOF\na\n b\nEOF\nRUN c', run('<<EOF', { heredocs: [body('EOF', 'a\n b\n')] }), run('c')],
    ['an empty one', 'RUN <<EOF\nEOF', run('<<EOF', { heredocs: [body('EOF', '')] })],
    [
      'one with an interpreter',
      'RUN <<EOF\n#!/usr/bin/python\nx\nEOF',
      run('<<EOF', { heredocs: [body('EOF', '#!/usr/bin/python\nx\n')] }),
    ],
    ['in single quotes', "RUN <<'E F'\n$a\nE F", run("<<'E F'", { heredocs: [body('E F', '$a\n', false)] })],
    ['in double quotes', 'RUN <<"EOF"\n$a\nEOF', run('<<"EOF"', { heredocs: [body('EOF', '$a\n', false)] })],
    ['partly quoted', 'RUN <<E"O"F\n$a\nEOF', run('<<E"O"F', { heredocs: [body('EOF', '$a\n', false)] })],
    ['without its tabs', 'RUN <<-EOF\n\ta\n\t\t b\n\tEOF', run('<<-EOF', { heredocs: [body('EOF', 'a\n b\n')] })],
    ['with blanks in between', 'RUN cat << EOF\na\nEOF', run('cat << EOF', { heredocs: [body('EOF', 'a\n')] })],
    ['with a number', 'RUN x 3<<EOF\na\nEOF', run('x 3<<EOF', { heredocs: [body('EOF', 'a\n')] })],
    [
      'in front of a redirection',
      'RUN cat <<EOF > /x\na\nEOF',
      run('cat <<EOF > /x', { heredocs: [body('EOF', 'a\n')] }),
    ],
    ['right in front of one', 'RUN cat <<EOF>/x\na\nEOF', run('cat <<EOF>/x', { heredocs: [body('EOF', 'a\n')] })],
    ['in front of a semicolon', 'RUN cat <<EOF; b\na\nEOF', run('cat <<EOF; b', { heredocs: [body('EOF', 'a\n')] })],
    [
      'several',
      'RUN cat <<A 3<<B\n1\nA\n2\nB',
      run('cat <<A 3<<B', { heredocs: [body('A', '1\n'), body('B', '2\n')] }),
    ],
    [
      'with comments, escapes and instructions in it',
      'RUN <<E\n# c\na \\\nRUN b\n\nE',
      run('<<E', { heredocs: [body('E', '# c\na \\\nRUN b\n\n')] }),
    ],
    ['behind a continued line', 'RUN a \\\n <<E\nb\nE', run('a  <<E', { heredocs: [body('E', 'b\n')] })],
    [
      'lines of other systems stay',
      'RUN <<E\r\na\r\nE\r\nRUN b',
      run('<<E', { heredocs: [body('E', 'a\r\n')] }),
      run('b'),
    ],
    ['behind flags', 'RUN --network=none <<E\na\nE', run('<<E', { network: 'none', heredocs: [body('E', 'a\n')] })],
    ['not in quotes', 'RUN echo "<<E" \'<<F\'', run('echo "<<E" \'<<F\'')],
    ['not within a word', 'RUN a<<E', run('a<<E')],
    ['not a here-string', 'RUN cat <<<E', run('cat <<<E')],
    ['not a shift in arithmetic', 'RUN echo $((1<<2))', run('echo $((1<<2))')],
    ['not when a quote is open', 'RUN echo "a <<E', run('echo "a <<E')],
    ['not in exec form', 'RUN ["cat", "<<E"]', { ...run(''), command: exec('cat', '<<E') }],
    ['not for CMD', 'CMD cat <<E', { instruction: 'CMD', command: shell('cat <<E') }],
    ['for COPY', 'COPY <<E /x\na\nE', copy(['<<E'], '/x', { heredocs: [body('E', 'a\n')] })],
    [
      'for COPY with others',
      "COPY a <<'E' <<-F b /x/\n1\nE\n\t2\nF",
      copy(['a', '<<E', '<<F', 'b'], '/x/', { heredocs: [body('E', '1\n', false), body('F', '2\n')] }),
    ],
    ['for ADD', 'ADD <<E /x\na\nE', { ...copy(['<<E'], '/x', { heredocs: [body('E', 'a\n')] }), instruction: 'ADD' }],
    ['for ONBUILD RUN', 'ONBUILD RUN <<E b\na\nE', { instruction: 'ONBUILD', value: 'RUN <<E b\na\nE' }],
    [
      'for ONBUILD COPY',
      'ONBUILD COPY <<E <<F /\na\nE\nb\nF',
      { instruction: 'ONBUILD', value: 'COPY <<E <<F /\na\nE\nb\nF' },
    ],
  ],
  'COPY and ADD': [
    ['sources and a destination', 'COPY a b /c', copy(['a', 'b'], '/c')],
    ['an array, for names with blanks', 'COPY ["a b", "/c d"]', copy(['a b'], '/c d')],
    ['quotes stay until they are expanded', 'COPY "a" b', copy(['"a"'], 'b')],
    [
      'the flags of COPY',
      'COPY --from=x --chown=1:2 --chmod=u+x --link --parents=true --exclude=*.md --exclude=*.txt a b',
      copy(['a'], 'b', {
        from: 'x',
        chown: '1:2',
        chmod: 'u+x',
        link: true,
        parents: true,
        exclude: ['*.md', '*.txt'],
      }),
    ],
    ['a flag that is off', 'COPY --link=false a b', copy(['a'], 'b', { link: false })],
    ['an empty flag', 'COPY --from= a b', copy(['a'], 'b')],
    [
      'the flags of ADD',
      'ADD --checksum=sha256:0 --keep-git-dir=True --unpack --chmod=644 --chown=a --link --exclude=x u /',
      {
        ...copy(['u'], '/', {
          chown: 'a',
          chmod: '644',
          link: true,
          exclude: ['x'],
          checksum: 'sha256:0',
          keepGitDir: true,
          unpack: true,
        }),
        instruction: 'ADD',
      },
    ],
  ],
  'ENV, LABEL and ARG': [
    ['pairs', 'ENV a=1 b=2', env(['a', '1'], ['b', '2'])],
    ['quotes and escapes stay', 'ENV a="x y" b=x\\ y c=\'$d\'', env(['a', '"x y"'], ['b', 'x\\ y'], ['c', "'$d'"])],
    ['an escaped quote', 'ENV a="x\\" y" b=2', env(['a', '"x\\" y"'], ['b', '2'])],
    ['an empty value', 'ENV a= b=""', env(['a', ''], ['b', '""'])],
    ['a value with =', 'ENV a=b=c', env(['a', 'b=c'])],
    ['several lines', 'ENV a=1 \\\n    b=2', env(['a', '1'], ['b', '2'])],
    ['an escape at the end', 'ENV a=1\\ ', env(['a', '1'])],
    ['the old form', 'ENV a b  c="d"', env(['a', 'b  c="d"'])],
    ['the old form with = later', 'ENV a b=c', env(['a', 'b=c'])],
    [
      'a LABEL',
      'LABEL "a b"="c" d.e=f',
      {
        instruction: 'LABEL',
        pairs: [
          { name: '"a b"', value: '"c"' },
          { name: 'd.e', value: 'f' },
        ],
      },
    ],
    ['the old form of LABEL', 'LABEL a b c', { instruction: 'LABEL', pairs: [{ name: 'a', value: 'b c' }] }],
    [
      'ARGs',
      'ARG a b=1 c="x y" d=',
      {
        instruction: 'ARG',
        args: [{ name: 'a' }, { name: 'b', value: '1' }, { name: 'c', value: '"x y"' }, { name: 'd', value: '' }],
      },
    ],
  ],
  others: [
    ['CMD', 'CMD ["a"]', { instruction: 'CMD', command: exec('a') }],
    ['CMD for none', 'CMD []', { instruction: 'CMD', command: exec() }],
    ['ENTRYPOINT', 'ENTRYPOINT exec a', { instruction: 'ENTRYPOINT', command: shell('exec a') }],
    ['SHELL', 'SHELL ["/bin/bash", "-c"]', { instruction: 'SHELL', words: ['/bin/bash', '-c'] }],
    ['EXPOSE', 'EXPOSE 80 443/tcp $P', { instruction: 'EXPOSE', values: ['80', '443/tcp', '$P'] }],
    ['VOLUME', 'VOLUME /a /b', { instruction: 'VOLUME', values: ['/a', '/b'] }],
    ['VOLUME with an array', 'VOLUME ["/a b"]', { instruction: 'VOLUME', values: ['/a b'] }],
    ['USER', 'USER a:b', { instruction: 'USER', value: 'a:b' }],
    ['WORKDIR with blanks', 'WORKDIR /a b', { instruction: 'WORKDIR', value: '/a b' }],
    ['STOPSIGNAL', 'STOPSIGNAL SIGINT', { instruction: 'STOPSIGNAL', value: 'SIGINT' }],
    ['MAINTAINER', 'MAINTAINER a <b@c>', { instruction: 'MAINTAINER', value: 'a <b@c>' }],
    ['ONBUILD', 'ONBUILD  run a', { instruction: 'ONBUILD', value: 'run a' }],
    [
      'HEALTHCHECK',
      'HEALTHCHECK --interval=1m30s --timeout=.5s --start-period=0 --start-interval=2s --retries=3 CMD a b',
      {
        instruction: 'HEALTHCHECK',
        command: shell('a b'),
        interval: '1m30s',
        timeout: '.5s',
        startPeriod: '0',
        startInterval: '2s',
        retries: '3',
      },
    ],
    ['HEALTHCHECK in exec form', 'HEALTHCHECK cmd ["a"]', { instruction: 'HEALTHCHECK', command: exec('a') }],
    ['HEALTHCHECK NONE', 'HEALTHCHECK NONE', { instruction: 'HEALTHCHECK' }],
    ['what comments in front say', '# a\n# b\n\nRUN c\n# d\n#\nRUN e', run('c', { comments: ['a', 'b'] }), run('e')],
  ],
}

describe('parsing a Containerfile', () => {
  for (const [group, cases] of Object.entries(tables))
    for (const [why, lines, ...instructions] of cases)
      it(`${group}, ${why}: ${JSON.stringify(lines)}`, () => assert.deepEqual(parsed(lines), instructions))

  const froms: [line: string, from: object, name?: string][] = [
    ['FROM a', { image: 'a' }],
    ['FROM a:1@sha256:x AS Web', { image: 'a:1@sha256:x', as: 'Web' }, 'web'],
    ['from --platform=$BUILDPLATFORM a as b', { image: 'a', platform: '$BUILDPLATFORM', as: 'b' }, 'b'],
    ['FROM ${BASE:-debian}', { image: '${BASE:-debian}' }],
  ]
  for (const [line, from, name] of froms)
    it(line, () => {
      const stage = parseContainerfile(line).stages[0]
      assert.deepEqual([stage && bare(stage.from), stage?.name], [{ instruction: 'FROM', ...from }, name])
    })

  it('puts ARGs in front of the first FROM apart, and numbers stages', () => {
    const { args, stages } = parseContainerfile('ARG a=1\nARG b\nFROM x\nARG c\nFROM y AS z\nRUN d')
    assert.deepEqual(
      args.map((one) => one.args),
      [[{ name: 'a', value: '1' }], [{ name: 'b' }]],
    )
    assert.deepEqual(
      stages.map(({ index, name, instructions }) => [index, name, instructions.length]),
      [
        [0, undefined, 1],
        [1, 'z', 1],
      ],
    )
  })

  const directives: [why: string, text: string, directives: object][] = [
    ['none', '', { escape: '\\' }],
    [
      'all',
      '# syntax=docker/dockerfile:1 x\n#escape=`\n# CHECK = skip=all ',
      { escape: '`', syntax: 'docker/dockerfile:1', check: 'skip=all' },
    ],
    ['behind a byte order mark', '\uFEFF# escape=`\n', { escape: '`' }],
    ['behind a comment they are comments', '# x\n# escape=`\n', { escape: '\\' }],
    ['behind an empty line too', '\n# escape=`\n', { escape: '\\' }],
    ['behind an unknown one too', '# unknown=x\n# escape=`\n', { escape: '\\' }],
    [
      'behind an interpreter, escape excepted',
      '#!/usr/bin/env x\n# syntax=a\n# escape=`\n',
      { escape: '\\', syntax: 'a' },
    ],
    ['lines of other systems', '# escape=`\r\n', { escape: '`' }],
  ]
  for (const [why, text, expected] of directives)
    it(`directives, ${why}`, () => assert.deepEqual(parseContainerfile(`${text}\nFROM a`).directives, expected))

  it('continues lines with the escape of the directive', () => {
    const { stages } = parseContainerfile('# escape=`\nFROM a\nRUN dir c:\\\nRUN b `\n c\nENV a=b` c')
    assert.deepEqual(stages[0]?.instructions.map(bare), [run('dir c:\\'), run('b  c'), env(['a', 'b` c'])])
  })

  it('tells where each instruction stands, and how it was written', () => {
    const [stage] = parseContainerfile('# x\nFROM a\n\n  RUN b \\\n   c\n', 'dir/Web').stages
    assert.deepEqual(stage?.instructions[0]?.position, { file: 'dir/Web', line: 4, text: '  RUN b \\' })
    assert.equal(stage?.instructions[0]?.original, 'RUN b    c')
  })

  it('tells of empty lines in a continued one', () => {
    const { warnings } = parseContainerfile('FROM a\nRUN b \\\n\n\n  c\nRUN d \\\n  e\n')
    assert.deepEqual(
      warnings.map(({ rule, position }) => [rule, position.line]),
      [['NoEmptyContinuation', 3]],
    )
  })

  it('reads a large file in time', () => {
    const lines = Array.from({ length: 50_000 }, (_, n) => `RUN echo ${n} \\\n  && true`)
    assert.equal(parseContainerfile(`FROM a\n${lines.join('\n')}`).stages[0]?.instructions.length, 50_000)
    const long = `FROM a\nRUN x ${'\\\n  a'.repeat(100_000)}\nENV ${'a=b '.repeat(50_000)}\n`
    assert.equal(parseContainerfile(long).stages[0]?.instructions.length, 2)
    assert.throws(() => parseContainerfile(`FROM a\nRUN <<E\n${'x\n'.repeat(200_000)}`), { code: 'INVALID' })
  })

  it('parses the trigger of a base image', () => {
    assert.deepEqual(bare(parseTrigger('RUN <<E b\na\nE', 'base')), run('<<E b', { heredocs: [body('E', 'a\n')] }))
    const refused: [string, RegExp][] = [
      ['CPY a b', /parse ONBUILD of base:1:1: CPY is not an instruction; did you mean COPY\?/],
      ['FROM b', /FROM cannot be a trigger/],
      ['', /the trigger is empty/],
    ]
    for (const [trigger, message] of refused) assert.throws(() => parseTrigger(trigger, 'base'), { message })
  })
})
