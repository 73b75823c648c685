// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are a Containerfile's variables
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkOptions } from '../../sdk/containerfile/check-options.js'
import { formatWarnings, lint } from '../../sdk/containerfile/lint.js'
import { baseImages } from '../../sdk/containerfile/lint-globals.js'
import { parseContainerfile } from '../../sdk/containerfile/parse.js'
import { parseIgnore } from '../../sdk/layer/ignore.js'

/** Each rule with what it finds and, in rows without findings, what is right. Source: Docker docs, "Build checks". */
const rules: [rule: string, why: string, text: string, ...findings: string[]][] = [
  ['StageNameCasing', 'upper case', 'FROM a AS Web', "1: Stage name 'Web' should be lowercase"],
  ['StageNameCasing', 'lower case', 'FROM a AS web'],
  ['FromAsCasing', 'mixed', 'FROM a as web', "1: 'as' and 'FROM' keywords' casing do not match"],
  ['FromAsCasing', 'mixed the other way', 'from a AS web', "1: 'AS' and 'from' keywords' casing do not match"],
  ['FromAsCasing', 'both upper', 'FROM --platform=$TARGETARCH a AS web'],
  ['FromAsCasing', 'both lower', 'from a as web'],
  ['NoEmptyContinuation', 'one', 'FROM a\nRUN b \\\n\n  c', '3: Empty continuation line'],
  ['NoEmptyContinuation', 'a comment instead', 'FROM a\nRUN b \\\n#\n  c'],
  [
    'ConsistentInstructionCasing',
    'one of three',
    'FROM a\nRUN b\nrun c',
    "3: Command 'run' should match the case of the command majority (uppercase)",
  ],
  [
    'ConsistentInstructionCasing',
    'mixed in itself',
    'from a\nrun b\nRun c',
    "3: Command 'Run' should match the case of the command majority (lowercase)",
  ],
  ['ConsistentInstructionCasing', 'all lower', 'from a\nrun b'],
  [
    'DuplicateStageName',
    'two',
    'FROM a AS web\nFROM b AS WEB',
    '2: Duplicate stage name "web", stage names should be unique',
  ],
  ['DuplicateStageName', 'none', 'FROM a AS web\nFROM b AS db'],
  ['ReservedStageName', 'scratch', 'FROM a AS scratch', '1: Stage name should not be the reserved word "scratch"'],
  ['ReservedStageName', 'context', 'FROM a AS context', '1: Stage name should not be the reserved word "context"'],
  [
    'JSONArgsRecommended',
    'shell forms',
    'FROM a\nENTRYPOINT b\nCMD c',
    '2: JSON arguments recommended for ENTRYPOINT to prevent unintended behavior related to OS signals',
    '3: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
  ],
  ['JSONArgsRecommended', 'exec form', 'FROM a\nCMD ["b"]'],
  ['JSONArgsRecommended', 'a chosen shell', 'FROM a\nSHELL ["/bin/bash", "-c"]\nCMD b'],
  ['JSONArgsRecommended', 'one chosen in the stage below', 'FROM a AS b\nSHELL ["x"]\nFROM b\nCMD c'],
  [
    'MaintainerDeprecated',
    'one',
    'FROM a\nMAINTAINER b',
    '2: Maintainer instruction is deprecated in favor of using label',
  ],
  [
    'UndefinedArgInFrom',
    'a slip',
    'ARG VERSION=1\nFROM a:${VERSOIN}',
    "2: FROM argument 'VERSOIN' is not declared (did you mean VERSION?)",
  ],
  ['UndefinedArgInFrom', 'in the platform', 'FROM --platform=$XYZZY a', "1: FROM argument 'XYZZY' is not declared"],
  ['UndefinedArgInFrom', 'a predefined one', 'FROM --platform=$BUILDPLATFORM a'],
  ['UndefinedArgInFrom', 'a declared one without a value', 'ARG A\nFROM b:${A:-1}'],
  [
    'WorkdirRelativePath',
    'the first of a stage',
    'FROM a\nWORKDIR b\nWORKDIR c',
    '2: Relative workdir "b" can have unexpected results if the base image changes',
  ],
  ['WorkdirRelativePath', 'behind an absolute one', 'FROM a\nWORKDIR /b\nWORKDIR c'],
  ['WorkdirRelativePath', 'behind one of the stage below', 'FROM a AS b\nWORKDIR /b\nFROM b\nWORKDIR c'],
  ['WorkdirRelativePath', 'absolute in a variable', 'FROM a\nARG D=/srv\nWORKDIR $D/x'],
  [
    'UndefinedVar',
    'a slip',
    'FROM known\nARG VERSION=1\nENV a=$VERSIN',
    "3: Usage of undefined variable '$VERSIN' (did you mean $VERSION?)",
  ],
  [
    'UndefinedVar',
    'one that nothing is near to',
    'FROM scratch\nCOPY $XYZZY /',
    "2: Usage of undefined variable '$XYZZY'",
  ],
  [
    'UndefinedVar',
    'in a heredoc',
    'FROM scratch\nCOPY <<E /x\n$XYZZY\nE\nCOPY <<"E" /x\n$XYZZY\nE',
    "2: Usage of undefined variable '$XYZZY'",
  ],
  [
    'UndefinedVar',
    'in front of its declaration',
    'FROM scratch\nUSER $U\nARG U=1',
    "2: Usage of undefined variable '$U'",
  ],
  [
    'UndefinedVar',
    'a global ARG that is not taken over',
    'ARG U=1\nFROM scratch\nUSER $U',
    "3: Usage of undefined variable '$U'",
  ],
  ['UndefinedVar', 'a global ARG that is', 'ARG U=1\nFROM scratch\nARG U\nUSER $U'],
  ['UndefinedVar', 'an ARG without a value', 'FROM scratch\nARG U\nUSER ${U:-1}'],
  ['UndefinedVar', 'one of the base image', 'FROM known\nENV a=$GOPATH/x'],
  ['UndefinedVar', 'one of a stage below', 'FROM scratch AS b\nENV X=1\nFROM b\nENV Y=$X'],
  ['UndefinedVar', 'PATH of scratch', 'FROM scratch\nENV PATH=$PATH:/x'],
  ['UndefinedVar', 'what an image that nobody knows may set', 'FROM unknown\nENV a=$GOPATH/x'],
  [
    'UndefinedVar',
    'a slip below an image that nobody knows',
    'FROM unknown\nARG VERSION=1\nENV a=$VERSOIN',
    "3: Usage of undefined variable '$VERSOIN' (did you mean $VERSION?)",
  ],
  ['UndefinedVar', 'the shell has its own', 'FROM scratch\nRUN echo $XYZZY\nCMD echo $XYZZY'],
  [
    'MultipleInstructionsDisallowed',
    'the earlier ones',
    'FROM a\nCMD ["b"]\nHEALTHCHECK NONE\nCMD ["c"]\nHEALTHCHECK NONE',
    '2: Multiple CMD instructions should not be used in the same stage because only the last one will be used',
    '3: Multiple HEALTHCHECK instructions should not be used in the same stage because only the last one will be used',
  ],
  ['MultipleInstructionsDisallowed', 'one a stage', 'FROM a AS b\nCMD ["b"]\nFROM b\nCMD ["c"]'],
  [
    'LegacyKeyValueFormat',
    'ENV and LABEL',
    'FROM a\nENV b c\nLABEL d e=f',
    '2: "ENV key=value" should be used instead of legacy "ENV key value" format',
    '3: "LABEL key=value" should be used instead of legacy "LABEL key value" format',
  ],
  ['LegacyKeyValueFormat', 'the new form', 'FROM a\nENV b=c "d e"=f'],
  [
    'RedundantTargetPlatform',
    'alone',
    'FROM --platform=$TARGETPLATFORM a',
    '1: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  ],
  ['RedundantTargetPlatform', 'the other one', 'FROM --platform=${BUILDPLATFORM} a'],
  [
    'FromPlatformFlagConstDisallowed',
    'one',
    'FROM --platform=linux/arm64 a',
    '1: FROM --platform flag should not use constant value "linux/arm64"',
  ],
  ['FromPlatformFlagConstDisallowed', 'said in the name', 'FROM --platform=linux/arm64 a AS build-arm64'],
  ['FromPlatformFlagConstDisallowed', 'a variable', 'ARG P=linux/arm64\nFROM --platform=$P a'],
  [
    'SecretsUsedInArgOrEnv',
    'names',
    'FROM a\nARG AWS_SECRET_KEY\nENV github_token=b MONKEY=c PUBLIC_KEY=d PASSWORD_FILE=e',
    '2: Do not use ARG or ENV instructions for sensitive data (ARG "AWS_SECRET_KEY")',
    '3: Do not use ARG or ENV instructions for sensitive data (ENV "github_token")',
  ],
  [
    'InvalidDefaultArgInFrom',
    'an empty name',
    'ARG A\nFROM ${A}',
    '2: Default value for ARG ${A} results in empty or invalid base image name',
  ],
  [
    'InvalidDefaultArgInFrom',
    'half a name',
    'ARG TAG\nFROM busybox:${TAG}',
    '2: Default value for ARG busybox:${TAG} results in empty or invalid base image name',
  ],
  ['InvalidDefaultArgInFrom', 'a name', 'ARG TAG=1\nFROM busybox:${TAG}'],
  [
    'CopyIgnoredFile',
    'files that are left out',
    'FROM a\nCOPY ./tmp/x b /\nADD tmp /\nCOPY --from=c tmp /\nADD https://tmp/ /\nCOPY . /',
    '2: Attempting to Copy file "tmp/x" that is excluded by the ignore file',
    '3: Attempting to Add file "tmp" that is excluded by the ignore file',
  ],
  [
    'ExposeProtoCasing',
    'upper case',
    'FROM a\nEXPOSE 80/TCP 53/udp',
    "2: Defined protocol '80/TCP' in EXPOSE instruction should be lowercase",
  ],
  [
    'ExposeInvalidFormat',
    'addresses and ports of the host',
    'FROM a\nARG P=8080\nEXPOSE 127.0.0.1:80:80 $P:80 80-82',
    "3: EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:80'",
    "3: EXPOSE instruction should not define an IP address or host-port mapping, found '8080:80'",
  ],
  [
    'InvalidDefinitionDescription',
    'of an ARG and a stage',
    '# check=experimental=all\n# the version\nARG V=1\n# base is it\nFROM a AS base\n# other\nFROM b AS c',
    '3: Comment for ARG should follow the format: `# V <description>`',
    '7: Comment for FROM should follow the format: `# c <description>`',
  ],
  ['InvalidDefinitionDescription', 'not asked for', '# x\nARG V=1\nFROM a'],
  ['InvalidDefinitionDescription', 'a comment apart', '# check=experimental=all\n# x\n#\nARG V=1\nFROM a'],
]

const environmentOf = (image: string) => (image === 'known' ? ['PATH=/bin', 'GOPATH=/go'] : undefined)

function found(text: string) {
  return lint(parseContainerfile(text), { ignoreRules: parseIgnore('tmp'), environmentOf })
}

describe('linting a Containerfile', () => {
  for (const [rule, why, text, ...findings] of rules)
    it(`${rule}, ${why}: ${JSON.stringify(text)}`, () => {
      const own = found(text).filter((one) => one.rule === rule)
      assert.deepEqual(
        own.map(({ position, message }) => `${position.line}: ${message}`),
        findings,
      )
    })

  const wrong = 'FROM a AS Web\nMAINTAINER b\nCMD c\n'
  const chosen: [why: string, text: string, ...rules: string[]][] = [
    ['all', wrong, 'StageNameCasing', 'MaintainerDeprecated', 'JSONArgsRecommended'],
    ['but one', `# check=skip=StageNameCasing\n${wrong}`, 'MaintainerDeprecated', 'JSONArgsRecommended'],
    ['but two', `# check=skip=StageNameCasing, JSONArgsRecommended;error=true\n${wrong}`, 'MaintainerDeprecated'],
    ['none', `# check=skip=all\n${wrong}`],
    [
      'but one of a line',
      wrong.replace('CMD', '# check=skip=JSONArgsRecommended\nCMD'),
      'StageNameCasing',
      'MaintainerDeprecated',
    ],
    [
      'a comment that begins alike',
      wrong.replace('CMD', '# check=this\nCMD'),
      'StageNameCasing',
      'MaintainerDeprecated',
      'JSONArgsRecommended',
    ],
    ['no unknown rule is an error', `# check=skip=Unknown\nFROM a`],
  ]
  for (const [why, text, ...expected] of chosen)
    it(`finds ${why}`, () =>
      assert.deepEqual(
        found(text).map(({ rule }) => rule),
        expected,
      ))

  it('an ignore file that brings back is not judged', () => {
    const file = parseContainerfile('FROM a\nCOPY tmp /')
    assert.deepEqual(lint(file, { ignoreRules: parseIgnore('tmp\n!tmp/x') }), [])
    const all = lint(parseContainerfile('FROM a\nCOPY . /'), { ignoreRules: parseIgnore('**') })
    assert.deepEqual(
      all.map(({ message }) => message),
      ['Attempting to Copy file "." that is excluded by the ignore file'],
    )
  })

  it('says whether findings are errors', () => {
    const cases: [string, boolean][] = [
      ['', false],
      ['# check=error=true', true],
      ['# check=skip=all;error=1', true],
      ['# check=error=false', false],
    ]
    for (const [text, error] of cases) assert.equal(checkOptions(parseContainerfile(`${text}\nFROM a`)).error, error)
  })

  it('refuses a directive that is wrong', () => {
    const cases: [string, RegExp][] = [
      [
        '# check=skp=all',
        /parse Containerfile:1: skp=all is not an option of check; did you mean skip\?\n {2}1 \| # check=skp=all/,
      ],
      ['# check=StageNameCasing', /StageNameCasing is not an option of check; write skip=RULE, error=true/],
      ['# check=error=maybe', /error is maybe; write true or false/],
    ]
    for (const [text, message] of cases)
      assert.throws(() => found(`${text}\nFROM a`), { name: 'BuilderError', code: 'INVALID', message })
  })

  const unclear: [why: string, text: string, message: RegExp][] = [
    ['an open brace', 'FROM a\nWORKDIR /x/${A', /^expand Containerfile:2:12: the } that ends \$\{…\} is missing/],
    ['an argument that is asked for', 'FROM a\nARG A\nUSER ${A:?give A}', /^expand Containerfile:3:6: A: give A/],
    ['a base that is asked for', 'ARG A\nFROM ${A?missing}', /^expand Containerfile:2:6: A: missing/],
    ['a default in front of FROM', 'ARG A="${B?give B}"\nFROM a', /^expand Containerfile:1:8: B: give B/],
  ]
  for (const [why, text, message] of unclear)
    it(`tells of a text that cannot be expanded only when it is strict: ${why}`, () => {
      const file = parseContainerfile(text)
      assert.deepEqual(lint(file), [])
      assert.throws(() => lint(file, { strict: true }), { code: 'INVALID', message })
    })

  it('knows what is given from outside', () => {
    const given = new Map([
      ['A', '/srv'],
      ['B', 'known'],
    ])
    const text = 'ARG B\nFROM ${B:?missing}\nARG A=${C?missing}\nWORKDIR ${A:?give A}\nENV X=$GOPATH Y=$GOPTH'
    const warnings = lint(parseContainerfile(text), { given, strict: true, environmentOf })
    assert.deepEqual(
      warnings.map(({ message }) => message),
      ["Usage of undefined variable '$GOPTH' (did you mean $GOPATH?)"],
    )
  })

  it('keeps what one stage declares from the next', () => {
    const file = parseContainerfile('FROM scratch AS a\nFROM a AS b\nARG X\nFROM a\nUSER $X')
    assert.deepEqual(
      lint(file).map(({ rule }) => rule),
      ['UndefinedVar'],
    )
  })

  it('names the images that stages begin with', () => {
    const file = parseContainerfile('ARG T=1\nFROM a:$T AS x\nFROM x\nFROM scratch\nFROM b:${U:?}\nFROM a:1')
    assert.deepEqual(baseImages(file, {}), ['a:1'])
    assert.deepEqual(baseImages(file, { given: new Map([['T', '2']]) }), ['a:2', 'a:1'])
  })

  it('writes findings for people, in the order of the file', () => {
    assert.equal(
      formatWarnings(found('FROM a AS Web\nCMD c\n')),
      `Containerfile:1: StageNameCasing: Stage name 'Web' should be lowercase
  1 | FROM a AS Web
Containerfile:2: JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
  2 | CMD c
`,
    )
    assert.equal(formatWarnings([]), '')
  })
})
