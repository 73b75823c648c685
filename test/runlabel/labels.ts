// biome-ignore-all lint/suspicious/noTemplateCurlyInString: labels have variables
import type { DifferenceName } from './podman-differences.js'

/** A label, what is given with it, and what becomes of it. */
export interface LabelCase {
  readonly label: string
  /** Words of the command line before the label's name. */
  readonly flags?: readonly string[]
  readonly args?: readonly string[]
  /**
   * The words that are executed with `--engine podman`; `@IMAGE@` stands for the image with its digest, `@PWD@` for the working folder.
   */
  readonly argv?: readonly string[]
  /** What the message says, where nothing can be executed. */
  readonly refused?: RegExp
  /** Where podman's `container runlabel --display` says something else. Absent: it says the same. */
  readonly podman?: DifferenceName
}

/** What the variables mean in all cases. */
export const environment = { HOME: '/home/ada', SUDO_UID: '1000', SUDO_GID: '1001', FOO: 'leaked' }
export const imageName = 'localhost/site/tools:1'

const run = (...words: readonly string[]) => ['podman', 'run', ...words]

/** Labels, by what they are about. */
export const labels: readonly LabelCase[] = [
  // Words and quotes
  { label: 'podman run IMAGE', argv: run('@IMAGE@') },
  { label: '  podman   run\tIMAGE  ', argv: run('@IMAGE@') },
  { label: '\n podman run IMAGE\n\n', argv: run('@IMAGE@') },
  { label: 'podman run \\\n  --rm \\\n  IMAGE', argv: run('--rm', '@IMAGE@') },
  { label: 'podman run --rm IMAGE sh -c "a b"', argv: run('--rm', '@IMAGE@', 'sh', '-c', 'a b') },
  { label: "podman run --rm IMAGE sh -c 'a b'", argv: run('--rm', '@IMAGE@', 'sh', '-c', 'a b') },
  { label: 'podman run -e A=x\\ y IMAGE', argv: run('-e', 'A=x y', '@IMAGE@') },
  { label: 'podman run -e A="x y" IMAGE', argv: run('-e', 'A=x y', '@IMAGE@') },
  { label: 'podman run -e A="x"\'y\'z IMAGE', argv: run('-e', 'A=xyz', '@IMAGE@') },
  { label: 'podman run IMAGE echo "it\'s"', argv: run('@IMAGE@', 'echo', "it's"), podman: 'split-twice' },
  {
    label: 'podman run IMAGE sh -c "echo \'x y\'"',
    argv: run('@IMAGE@', 'sh', '-c', "echo 'x y'"),
    podman: 'split-twice',
  },
  { label: 'podman run IMAGE echo "say \\"hi\\""', argv: run('@IMAGE@', 'echo', 'say "hi"'), podman: 'split-twice' },
  { label: 'podman run IMAGE echo "a\\\\b"', argv: run('@IMAGE@', 'echo', 'a\\b'), podman: 'split-twice' },
  { label: 'podman run IMAGE echo ""', argv: run('@IMAGE@', 'echo', ''), podman: 'split-twice' },
  { label: "podman run IMAGE echo '' x", argv: run('@IMAGE@', 'echo', '', 'x'), podman: 'split-twice' },
  { label: 'podman run IMAGE ls *.txt ~/x [ab]? {1,2}', argv: run('@IMAGE@', 'ls', '*.txt', '~/x', '[ab]?', '{1,2}') },
  { label: 'podman run IMAGE echo a#b', argv: run('@IMAGE@', 'echo', 'a#b') },
  { label: "podman run IMAGE sh -c 'a; b | c && d > e'", argv: run('@IMAGE@', 'sh', '-c', 'a; b | c && d > e') },
  {
    label: "podman run IMAGE sh -c 'echo $(id) `id`'",
    argv: run('@IMAGE@', 'sh', '-c', 'echo $(id) `id`'),
  },
  { label: 'podman run IMAGE sh -c "a; b"', argv: run('@IMAGE@', 'sh', '-c', 'a; b') },
  { label: "podman run IMAGE printf 'a\nb'", argv: run('@IMAGE@', 'printf', 'a\nb'), podman: 'split-twice' },
  { label: 'podman run IMAGE echo 5$ $. a$', argv: run('@IMAGE@', 'echo', '5$', '$.', 'a$') },
  { label: 'podman run IMAGE echo grüße ❤', argv: run('@IMAGE@', 'echo', 'grüße', '❤') },
  // IMAGE and NAME
  { label: 'podman run --name NAME IMAGE', argv: run('--name', 'tools', '@IMAGE@') },
  { label: 'podman run --name $NAME $IMAGE', argv: run('--name', 'tools', '@IMAGE@') },
  { label: 'podman run --name ${NAME} ${IMAGE}', argv: run('--name', 'tools', '@IMAGE@') },
  { label: 'podman run --name "${NAME}" "$IMAGE"', argv: run('--name', 'tools', '@IMAGE@') },
  { label: 'podman run --name=NAME IMAGE', argv: run('--name=tools', '@IMAGE@') },
  { label: 'podman run --name=$NAME IMAGE', argv: run('--name=tools', '@IMAGE@') },
  { label: 'podman run --name ${NAME}-1 IMAGE', argv: run('--name', 'tools-1', '@IMAGE@') },
  { label: 'podman run -v /srv/$NAME/data:/data IMAGE', argv: run('-v', '/srv/tools/data:/data', '@IMAGE@') },
  {
    label: 'podman run -e IMAGE=IMAGE -e NAME=NAME IMAGE',
    argv: run('-e', `IMAGE=${imageName}`, '-e', 'NAME=tools', '@IMAGE@'),
  },
  {
    label: 'podman run -e IMAGE=$IMAGE -e NAME=${NAME} IMAGE',
    argv: run('-e', `IMAGE=${imageName}`, '-e', 'NAME=tools', '@IMAGE@'),
  },
  { label: 'podman run -e X=IMAGE IMAGE', argv: run('-e', `X=${imageName}`, '@IMAGE@') },
  { label: 'podman run -e X=a=NAME IMAGE', argv: run('-e', 'X=a=tools', '@IMAGE@') },
  { label: 'podman run IMAGE echo NAMES IMAGE1 aNAME', argv: run('@IMAGE@', 'echo', 'NAMES', 'IMAGE1', 'aNAME') },
  { label: 'podman run IMAGE echo IMAGE NAME', argv: run('@IMAGE@', 'echo', imageName, 'tools') },
  { label: 'podman run IMAGE echo name image', argv: run('@IMAGE@', 'echo', 'name', 'image') },
  { label: 'podman run --name NAME IMAGE', flags: ['--name', 'web-2'], argv: run('--name', 'web-2', '@IMAGE@') },
  { label: 'podman run --name NAME IMAGE', flags: ['-n', 'w'], argv: run('--name', 'w', '@IMAGE@') },
  { label: 'podman run -e "N=$NAME of $IMAGE" IMAGE', argv: run('-e', `N=tools of ${imageName}`, '@IMAGE@') },
  { label: "podman run IMAGE echo '$NAME'", argv: run('@IMAGE@', 'echo', '$NAME'), podman: 'expands-all' },
  {
    label: 'podman run IMAGE echo \\$NAME "\\$NAME"',
    argv: run('@IMAGE@', 'echo', '$NAME', '$NAME'),
    podman: 'expands-all',
  },
  {
    label: "podman run IMAGE sh -c 'for i in 1 2; do echo $i; done'",
    argv: run('@IMAGE@', 'sh', '-c', 'for i in 1 2; do echo $i; done'),
    podman: 'expands-all',
  },
  { label: "podman run IMAGE awk '{print $1}'", argv: run('@IMAGE@', 'awk', '{print $1}'), podman: 'expands-all' },
  // OPT1 to OPT3
  { label: 'podman run $OPT1 IMAGE $OPT2 sh $OPT3', argv: run('@IMAGE@', 'sh') },
  { label: 'podman run ${OPT1} IMAGE ${OPT2}${OPT3}', argv: run('@IMAGE@') },
  { label: 'podman run IMAGE "$OPT1" x', argv: run('@IMAGE@', '', 'x'), podman: 'split-twice' },
  { label: 'podman run IMAGE $OPT1', flags: ['--opt1', 'a b'], argv: run('@IMAGE@', 'a b') },
  { label: 'podman run IMAGE "$OPT1"', flags: ['--opt1', 'a  b'], argv: run('@IMAGE@', 'a  b'), podman: 'split-twice' },
  {
    label: 'podman run IMAGE ${OPT2}',
    flags: ['--opt2', 'it\'s "x"'],
    argv: run('@IMAGE@', 'it\'s "x"'),
    podman: 'split-twice',
  },
  { label: 'podman run IMAGE $OPT3', flags: ['--opt3', '; touch x'], argv: run('@IMAGE@', '; touch x') },
  { label: 'podman run IMAGE $OPT3', flags: ['--opt3', '$(id)'], argv: run('@IMAGE@', '$(id)') },
  { label: 'podman run IMAGE $OPT3', flags: ['--opt3', '$NAME'], argv: run('@IMAGE@', '$NAME') },
  { label: 'podman run IMAGE $OPT3', flags: ['--opt3', 'NAME'], argv: run('@IMAGE@', 'NAME') },
  { label: 'podman run -e A=$OPT1 IMAGE', flags: ['--opt1', '-x'], argv: run('-e', 'A=-x', '@IMAGE@') },
  { label: 'podman run --name=$OPT1 IMAGE', flags: ['--opt1', 'w'], argv: run('--name=w', '@IMAGE@') },
  { label: 'podman run IMAGE tool $OPT2', flags: ['--opt2', '--verbose'], argv: run('@IMAGE@', 'tool', '--verbose') },
  {
    label: 'podman run $OPT1 IMAGE',
    flags: ['--opt1', '--privileged'],
    refused: /\$OPT1: its value "--privileged" would become a flag/,
    podman: 'values-are-words',
  },
  {
    label: 'podman run ${OPT1}x IMAGE',
    flags: ['--opt1', '-'],
    refused: /\$OPT1: its value "-x" would become a flag/,
    podman: 'values-are-words',
  },
  { label: 'podman rm $OPT1', flags: ['--opt1', '--all'], refused: /would become a flag/, podman: 'values-are-words' },
  {
    label: 'podman rm $OPT1 $OPT2',
    flags: ['--opt1=--', '--opt2', 'x'],
    refused: /would become a flag/,
    podman: 'values-are-words',
  },
  { label: 'podman rm -- $OPT1', flags: ['--opt1', '--all'], argv: ['podman', 'rm', '--', '--all'] },
  {
    label: 'podman run IMAGE sh -c "echo $OPT1"',
    flags: ['--opt1', 'a;b'],
    refused: /\$OPT1: its value "a;b" would be read as a part of the script/,
    podman: 'values-are-words',
  },
  {
    label: 'podman run IMAGE sh -c "echo $OPT1"',
    flags: ['--opt1', 'a-b'],
    argv: run('@IMAGE@', 'sh', '-c', 'echo a-b'),
  },
  // Other variables
  { label: 'podman run -v $PWD:/work IMAGE', argv: run('-v', '@PWD@:/work', '@IMAGE@') },
  { label: 'podman run -v "${PWD}":/work IMAGE', argv: run('-v', '@PWD@:/work', '@IMAGE@') },
  { label: 'podman run -v $HOME:/home IMAGE', argv: run('-v', '/home/ada:/home', '@IMAGE@'), podman: 'few-variables' },
  {
    label: 'podman run -u $SUDO_UID:$SUDO_GID IMAGE',
    argv: run('-u', '1000:1001', '@IMAGE@'),
    podman: 'few-variables',
  },
  {
    label: 'podman run -v ${LOGDIR}:/var/log IMAGE',
    argv: run('-v', '/var/log/tools:/var/log', '@IMAGE@'),
    podman: 'few-variables',
  },
  {
    label: 'podman run -v ${CONFDIR}:/c -v $DATADIR:/d IMAGE',
    argv: run('-v', '/etc/tools:/c', '-v', '/var/lib/tools:/d', '@IMAGE@'),
    podman: 'few-variables',
  },
  { label: 'podman run $GLOBAL_OPTS IMAGE', argv: run('@IMAGE@') },
  { label: 'podman run -e A=$FOO IMAGE', refused: /\$FOO: there is no such variable/, podman: 'few-variables' },
  { label: 'podman run -e A=${FOO:-fallback} IMAGE', argv: run('-e', 'A=fallback', '@IMAGE@'), podman: 'defaults' },
  { label: 'podman run -e A=${OPT1:-x} IMAGE', argv: run('-e', 'A=x', '@IMAGE@'), podman: 'defaults' },
  {
    label: 'podman run -e A=${OPT1:-x} IMAGE',
    flags: ['--opt1', 'y'],
    argv: run('-e', 'A=y', '@IMAGE@'),
    podman: 'defaults',
  },
  { label: 'podman run -e A=${OPT1:-x y} IMAGE', argv: run('-e', 'A=x y', '@IMAGE@'), podman: 'defaults' },
  {
    label: 'podman run -v ${OPT1:-/srv/$NAME}:/d IMAGE',
    argv: run('-v', '/srv/tools:/d', '@IMAGE@'),
    podman: 'defaults',
  },
  { label: 'podman run IMAGE ${OPT1:-}', argv: run('@IMAGE@') },
  {
    label: 'podman run IMAGE echo ${OPT1:+x}',
    refused: /\$\{OPT1:\+x\}: only \$\{NAME\} and \$\{NAME:-default\} are known/,
    podman: 'no-shell',
  },
  { label: 'podman run IMAGE echo $1', refused: /\$1 is known to a shell only/, podman: 'no-shell' },
  // What only a shell could do
  {
    label: 'podman run IMAGE; touch x',
    refused: /no shell reads a label, and a ; separates two commands: character 17/,
    podman: 'no-shell',
  },
  { label: 'podman run IMAGE | tee x', refused: /a \| connects two commands/, podman: 'no-shell' },
  { label: 'podman run IMAGE && touch x', refused: /an & separates two commands/, podman: 'no-shell' },
  { label: 'podman run IMAGE > x', refused: /a > redirects output/, podman: 'no-shell' },
  { label: 'podman run IMAGE < x', refused: /a < redirects input/, podman: 'no-shell' },
  { label: 'podman run IMAGE $(id)', refused: /\$\( asks a shell to execute a command/, podman: 'no-shell' },
  { label: 'podman run IMAGE "$(id)"', refused: /\$\( asks a shell to execute a command/, podman: 'no-shell' },
  { label: 'podman run IMAGE `id`', refused: /a ` asks a shell to execute a command/, podman: 'no-shell' },
  { label: 'podman run IMAGE # later', refused: /a # begins a comment/, podman: 'no-shell' },
  { label: 'podman run IMAGE\npodman run IMAGE', refused: /a second line is a second command/, podman: 'no-shell' },
  { label: 'A=b podman run IMAGE', refused: /A=b: it begins with a variable/, podman: 'no-shell' },
  // Who executes it
  { label: '/usr/bin/podman run IMAGE', argv: run('@IMAGE@') },
  { label: 'docker run -it --rm IMAGE', argv: run('-it', '--rm', '@IMAGE@') },
  { label: '/usr/bin/docker run IMAGE', argv: run('@IMAGE@') },
  { label: '/no/such/place/docker run IMAGE', argv: run('@IMAGE@') },
  { label: 'podman container run IMAGE', argv: ['podman', 'container', 'run', '@IMAGE@'] },
  { label: 'builder run --rm IMAGE', argv: run('--rm', '@IMAGE@') },
  { label: 'builder run-image --rm IMAGE', argv: run('--rm', '@IMAGE@'), podman: 'programs' },
  { label: 'podman rm -f NAME', argv: ['podman', 'rm', '-f', 'tools'] },
  { label: 'podman stop NAME', argv: ['podman', 'stop', 'tools'] },
  { label: 'podman exec -it NAME sh', argv: ['podman', 'exec', '-it', 'tools', 'sh'] },
  { label: 'true NAME "a b"', argv: ['true', 'tools', 'a b'], podman: 'programs' },
  { label: 'sh -c \'echo "$NAME"; true\'', argv: ['sh', '-c', 'echo "$NAME"; true'], podman: 'programs' },
  // Flags
  {
    label: 'podman run -d -p 8080:80 --restart always IMAGE',
    argv: run('-d', '--publish=8080:80', '--restart=always', '@IMAGE@'),
    podman: 'spelt-out',
  },
  {
    label: 'podman run -dp 8080:80 IMAGE',
    argv: run('--detach=true', '--publish=8080:80', '@IMAGE@'),
    podman: 'spelt-out',
  },
  {
    label: 'podman run --pid=container:x --init IMAGE',
    argv: run('--pid=container:x', '--init=true', '@IMAGE@'),
    podman: 'spelt-out',
  },
  {
    label: 'podman run --no-such-flag IMAGE',
    refused: /"--no-such-flag": there is no such flag/,
    podman: 'unknown-flags',
  },
  {
    label: 'podman --log-level debug run IMAGE',
    refused: /a flag before the subcommand cannot be judged/,
    podman: 'unknown-flags',
  },
  { label: 'podman run --rm', refused: /the image is missing/, podman: 'unknown-flags' },
  { label: 'podman run --rm -- IMAGE -x', argv: run('--rm', '--', '@IMAGE@', '-x') },
  { label: 'podman run -itv /srv:/srv IMAGE', argv: run('-itv', '/srv:/srv', '@IMAGE@') },
  {
    label: 'podman run --privileged --net=host --ipc host --pid=host -v /:/host IMAGE',
    argv: run('--privileged', '--net=host', '--ipc', 'host', '--pid=host', '-v', '/:/host', '@IMAGE@'),
  },
  {
    label: 'podman run --name NAME IMAGE',
    flags: ['--replace'],
    argv: run('--replace', '--name', 'tools', '@IMAGE@'),
    podman: 'replaces-itself',
  },
  {
    label: 'podman run --rm IMAGE',
    flags: ['--replace'],
    refused: /--replace: the label gives no container a name/,
    podman: 'replaces-itself',
  },
  // The caller's own words
  { label: 'podman run IMAGE', args: ['ls', '-l'], argv: run('@IMAGE@', 'ls', '-l') },
  { label: 'podman run IMAGE cmd', args: ['a b'], argv: run('@IMAGE@', 'cmd', 'a b') },
  {
    label: 'podman run IMAGE echo',
    args: ['NAME', '$NAME'],
    argv: run('@IMAGE@', 'echo', 'NAME', '$NAME'),
    podman: 'own-words',
  },
  { label: 'podman run IMAGE echo', args: ['$(id)', ';', 'x'], argv: run('@IMAGE@', 'echo', '$(id)', ';', 'x') },
]
