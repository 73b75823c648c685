import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { table } from '../../bin/verbs.gen.js'
import { BuilderError } from '../../sdk/errors.js'
import { splitWords } from '../../sdk/image/words.js'
import { runFlags } from '../../sdk/runlabel/run-flags.js'
import { isRunLine, parseRunLine } from '../../sdk/runlabel/run-line.js'

const read: Readonly<Record<string, object>> = {
  'podman run web': { options: {} },
  '/usr/bin/docker run web': { engine: '/usr/bin/docker', options: {} },
  'podman container run web': { subcommand: 'container run', options: {} },
  'builder run-image web': { engine: 'builder', subcommand: 'run-image', options: {} },
  'builder run web': { engine: 'builder', options: {} },
  'podman --log-level debug --debug run web': { options: {} },
  'docker -D run web': { engine: 'docker', options: {} },
  'podman run web --rm -v x': { options: {}, command: ['--rm', '-v', 'x'] },
  'podman run -- web -- x': { options: {}, command: ['--', 'x'] },
  'podman run -dit web': { options: { detach: true, interactive: true, tty: true } },
  'podman run -d=false -i=true -t=0 web': { options: { detach: false, interactive: true, tty: false } },
  'podman run --rm=false --privileged=True web': { options: { rm: false, privileged: true } },
  'podman run --rm false': { options: { rm: true }, image: 'false' },
  'podman run -itv /a:/b web': { options: { interactive: true, tty: true, volume: ['/a:/b'] } },
  'podman run -itv/a:/b web': { options: { interactive: true, tty: true, volume: ['/a:/b'] } },
  'podman run -itv=/a:/b web': { options: { interactive: true, tty: true, volume: ['/a:/b'] } },
  'podman run -e=A=1 -eB=2 -e C=3 --env D=4 --env=E=5 web': { options: { env: ['A=1', 'B=2', 'C=3', 'D=4', 'E=5'] } },
  'podman run -e A -e B= -e "C=a b" web': { options: { env: ['A', 'B=', 'C=a b'] } },
  'podman run --env-file a --env-file=b web': { options: { envFile: ['a', 'b'] } },
  'podman run --name -x web': { options: { name: '-x' } },
  'podman run -v --rm web': { options: { volume: ['--rm'] } },
  'podman run --name a --name b web': { options: { name: 'b' } },
  'podman run --name= web': { options: { name: '' } },
  'podman run --net host web': { options: { network: 'host' } },
  'podman run --network=none --ipc=host --pid host --uts=host --userns=host web': {
    options: { network: 'none', ipc: 'host', pid: 'host', uts: 'host', userns: 'host' },
  },
  'podman run --net=slirp4netns --ipc shareable web': { options: { network: 'private', ipc: 'private' } },
  'podman run --net=bridge web': { options: { network: 'bridge' } },
  'podman run -u 1:2 -w /srv -h name web': { options: { user: '1:2', workdir: '/srv', hostname: 'name' } },
  'podman run --user=web --workdir / --hostname=h web': { options: { user: 'web', workdir: '/', hostname: 'h' } },
  'podman run --entrypoint \'["a","b c"]\' web': { options: { entrypoint: '["a","b c"]' } },
  'podman run --entrypoint "" web': { options: { entrypoint: '' } },
  'podman run --cap-add A,B --cap-add=C --cap-drop ALL web': { options: { capAdd: ['A,B', 'C'], capDrop: ['ALL'] } },
  'podman run --device /dev/fuse --device=/dev/kvm:/k:rwm web': {
    options: { device: ['/dev/fuse', '/dev/kvm:/k:rwm'] },
  },
  'podman run --security-opt label=disable --security-opt=seccomp=unconfined web': {
    options: { securityOpt: ['label=disable', 'seccomp=unconfined'] },
  },
  'podman run --tmpfs /run:size=1m --read-only web': { options: { tmpfs: ['/run:size=1m'], readOnly: true } },
  'podman run --add-host a:1.2.3.4 -l a=b --label c web': { options: { addHost: ['a:1.2.3.4'], label: ['a=b', 'c'] } },
  'podman run --dns 1.1.1.1 --shm-size 1g --ulimit nofile=1 --pull=always --replace web': {
    options: { dns: ['1.1.1.1'], shmSize: '1g', ulimit: ['nofile=1'], pull: 'always', replace: true },
  },
  'builder run-image --spc web': { engine: 'builder', subcommand: 'run-image', options: { spc: true } },
  'podman run -it quay.io/a/b@sha256:c0 sh -c "a b"': {
    options: { interactive: true, tty: true },
    image: 'quay.io/a/b@sha256:c0',
    command: ['sh', '-c', 'a b'],
  },
}

describe('a run line', () => {
  for (const [line, expected] of Object.entries(read))
    it(line, () => {
      const words = splitWords(line)
      const { imageAt, ...found } = parseRunLine(words)
      assert.deepEqual(found, { engine: 'podman', subcommand: 'run', image: 'web', command: [], ...expected })
      assert.equal(words[imageAt], found.image)
      assert.ok(isRunLine(words))
    })
})

const refused: Readonly<Record<string, RegExp>> = {
  '': /"": it is not podman, docker or builder/,
  'sudo podman run web': /INVALID .*"sudo": it is not podman/,
  podman: /podman is not asked to run an image; write podman run/,
  'podman ps': /INVALID .*"ps": podman is not asked to run an image/,
  'podman run': /INVALID .*the image is missing; write IMAGE after the flags/,
  'podman run --rm': /the image is missing/,
  'podman run --name': /INVALID .*"--name": its value is missing; write --name VALUE/,
  'podman run -itv': /"-v": its value is missing; write -v VALUE/,
  'podman run --nmae x web': /INVALID .*"--nmae": there is no such flag; did you mean --name\? .*--engine podman/,
  'podman run -X web': /"-X": there is no such flag; .*--engine podman/,
  'podman run -iXt web': /"-X": there is no such flag/,
  'podman run --spc web': /INVALID .*"--spc": there is no such flag/,
  'podman run --memory 1g web':
    /UNSUPPORTED .*"--memory": builder cannot honour this flag; leave it out, or .*--engine podman/,
  'podman run --init web': /UNSUPPORTED .*"--init": builder cannot honour/,
  'podman run -p 80:80 web': /UNSUPPORTED .*"-p": builder cannot honour/,
  'podman run -itp 80:80 web': /UNSUPPORTED .*"-p": builder cannot honour/,
  'podman run --restart=always web': /UNSUPPORTED .*"--restart"/,
  'podman run --mount type=bind,src=/,dst=/h web': /UNSUPPORTED .*"--mount"/,
  'podman run --net=container:x web': /--network "container:x" cannot be honoured; write private, host, none/,
  'podman run --pid ns:/x web': /--pid "ns:\/x" cannot be honoured/,
  'podman run --userns keep-id web': /--userns "keep-id" cannot be honoured; write host/,
  'podman run --net=constructor web': /--network "constructor" cannot be honoured/,
  'podman run --rm=maybe web': /INVALID .*"maybe" is neither true nor false; write --rm or --rm=false/,
  'podman run -- -web': /INVALID .*"-web": an image cannot begin with a dash/,
  'podman run - x': /"-": an image cannot begin with a dash/,
  'podman run ""': /"": it is not an image name/,
  'podman run "a b"': /"a b": it is not an image name/,
  'podman --root /x run web': /UNSUPPORTED .*"--root": this global flag cannot be honoured/,
  'podman --remote run web': /UNSUPPORTED .*this global flag/,
  'builder container run web': /builder is not asked to run an image/,
  'podman run-image web': /podman is not asked to run an image/,
}

describe('a run line that is refused', () => {
  for (const [line, says] of Object.entries(refused))
    it(line || 'nothing', () => {
      const told = (error: unknown) => error instanceof BuilderError && says.test(`${error.code} ${error.message}`)
      assert.throws(() => parseRunLine(splitWords(line)), told)
    })
  it('a NUL byte', () => assert.throws(() => parseRunLine(['podman', 'run', '-e', 'A=\0', 'web']), /holds a NUL byte/))
})

it('the flags of a line are those of the verb run-image, by name, short form and kind', () => {
  const verb = table.verbs.find(({ name }) => name === 'run-image')
  for (const { name, also = [], short, key, kind, values } of runFlags) {
    const flag = verb?.flags.find((one) => one.key === key)
    assert.deepEqual([flag?.name, ...(flag?.also ?? [])], [name, ...also])
    // -h is the verb's help.
    assert.equal(flag?.short, short === 'h' ? undefined : short, name)
    assert.equal(flag?.kind, values ? 'choice' : kind === 'text' ? 'string' : kind, name)
    for (const meant of Object.values(values ?? {})) assert.ok(flag?.choices?.includes(meant), `${name} ${meant}`)
  }
})
