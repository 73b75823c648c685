import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it, test } from 'node:test'
import { parse } from 'yaml'
import { BuilderError } from '../../sdk/errors.js'
import { readDeployment } from '../../sdk/runlabel/deployment.js'
import { kubeManifest } from '../../sdk/runlabel/kube.js'
import { quadletUnit, serviceUnit } from '../../sdk/runlabel/quadlet.js'
import { command, needs, tempDir } from '../lane.js'
import { refuses, said } from '../verbs/cases.js'

const image = 'quay.io/site/web:1'

function deployed(run: string | undefined, config: object = {}) {
  const labels = run === undefined ? {} : { Labels: { RUN: run } }
  return readDeployment({ image, config: { ...config, ...labels }, env: {}, cwd: '/here', home: '/home/me' })
}

/** The lines of the section [Container] behind image and name. */
function keys(run: string): readonly string[] {
  const lines = quadletUnit(deployed(run)).split('\n')
  return lines.slice(lines.indexOf('[Container]') + 3, lines.indexOf('[Service]') - 1)
}

const quadlets: Readonly<Record<string, readonly string[]>> = {
  'podman run IMAGE': [],
  'podman run -d --rm --replace --name x IMAGE': [],
  'podman run IMAGE serve --on 80': ['Exec=serve --on 80'],
  'podman run IMAGE sh -c \'echo "a  b" 50% \\ $X\'': ['Exec=sh -c "echo \\"a  b\\" 50%% \\\\ $$X"'],
  "podman run IMAGE ';' ''": ['Exec=";" ""'],
  "podman run -v '/a b:/x:ro' -v $PWD:/y IMAGE": ['Volume=/a b:/x:ro', 'Volume=/here:/y'],
  "podman run -e A=1 -e 'B=x y' --env-file /etc/web.env IMAGE": [
    'Environment=A=1',
    'Environment="B=x y"',
    'EnvironmentFile=/etc/web.env',
  ],
  'podman run --net=host -p 80:80 --publish=1:1/udp IMAGE': [
    'Network=host',
    'PublishPort=80:80',
    'PublishPort=1:1/udp',
  ],
  'podman run --cap-add A,B --cap-drop ALL --device /dev/kvm IMAGE': [
    'AddCapability=A',
    'AddCapability=B',
    'DropCapability=ALL',
    'AddDevice=/dev/kvm',
  ],
  'podman run --read-only --tmpfs /run -l a=b IMAGE': ['ReadOnly=true', 'Label=a=b', 'PodmanArgs=--tmpfs=/run'],
  'podman run -it --privileged --pid=host -u 1:2 -w /srv IMAGE': [
    'PodmanArgs=--interactive',
    'PodmanArgs=--tty',
    'PodmanArgs=--privileged',
    'PodmanArgs=--pid=host',
    'PodmanArgs=--user=1:2',
    'PodmanArgs=--workdir=/srv',
  ],
  "podman run --memory 1g --init --entrypoint 'a b' IMAGE": [
    'PodmanArgs="--entrypoint=a b"',
    'PodmanArgs=--memory=1g',
    'PodmanArgs=--init=true',
  ],
  'podman run --rm=false IMAGE': [],
}

/** Source: podman-systemd.unit(5) of podman 4.4, "Container units [Container]". */
const known = new Set(
  (
    'AddCapability AddDevice Annotation ContainerName DropCapability Environment EnvironmentFile EnvironmentHost Exec ' +
    'ExposeHostPort Group Image Label Network NoNewPrivileges Notify PodmanArgs PublishPort ReadOnly RunInit SeccompProfile ' +
    'SecurityLabelDisable Timezone User UserNS VolatileTmp Volume'
  ).split(' '),
)

describe('a quadlet', () => {
  for (const [run, expected] of Object.entries(quadlets))
    it(run, () => {
      const found = keys(run)
      assert.deepEqual(found, expected)
      for (const line of found) assert.ok(known.has(line.split('=')[0] ?? ''), line)
    })
  it('says where it comes from, and is wanted by both targets', () => {
    const unit = quadletUnit(deployed('podman run --restart=always IMAGE'))
    assert.match(unit, /^# web\.container, from quay\.io\/site\/web:1, label RUN\n\[Unit\]\nDescription=web \(quay/)
    assert.match(unit, /\nImage=quay\.io\/site\/web:1\nContainerName=web\n/)
    assert.match(unit, /\n\[Service\]\nRestart=always\n\n\[Install\]\nWantedBy=multi-user\.target default\.target\n$/)
  })
  it('of an image without a label', () =>
    assert.match(quadletUnit(deployed(undefined)), /\nImage=quay\.io\/site\/web:1\n/))
  it('of a super-privileged label', () => {
    const unit = quadletUnit(deployed('builder run-image --spc IMAGE'))
    for (const line of [
      'Volume=/:/host',
      'Environment=HOST=/host',
      'Network=host',
      'PodmanArgs=--privileged',
      'PodmanArgs=--pid=host',
    ])
      assert.ok(unit.split('\n').includes(line), `${line}\n${unit}`)
  })
})

test('systemd reads the services that come of them, words and all', async (t) => {
  if (!needs(t, 'systemd-analyze')) return
  const folder = tempDir(t)
  const files = Object.keys(quadlets).map((run, i) => {
    const file = join(folder, `web-${i}.service`)
    writeFileSync(file, serviceUnit(deployed(run), '/bin/true'))
    return file
  })
  const { stderr, code } = await command(['systemd-analyze', 'verify', '--man=no', ...files])
  assert.deepEqual(
    { code, stderr: stderr.split('\n').filter((line) => line.includes(folder)) },
    { code: 0, stderr: [] },
  )
})

const spec = (run: string | undefined, config?: object) =>
  kubeManifest(deployed(run, config), 'Pod').spec as Record<string, unknown>
const containerOf = (run: string, config?: object) =>
  (spec(run, config).containers as Record<string, unknown>[])[0] ?? {}

describe('a manifest', () => {
  const fields: Readonly<Record<string, object>> = {
    'podman run IMAGE': {},
    'podman run -it --pull=always IMAGE a b': { args: ['a', 'b'], stdin: true, tty: true, imagePullPolicy: 'Always' },
    'podman run --entrypoint \'["a","b c"]\' IMAGE \'$(x)\'': { command: ['a', 'b c'], args: ['$$(x)'] },
    'podman run -w /srv -e A=1 -e B= IMAGE': {
      workingDir: '/srv',
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '' },
      ],
    },
    'podman run -p 127.0.0.1:8080:80 -p 53/udp IMAGE': {
      ports: [
        { containerPort: 80, protocol: 'TCP', hostPort: 8080, hostIP: '127.0.0.1' },
        { containerPort: 53, protocol: 'UDP' },
      ],
    },
    'podman run --privileged --read-only -u 1:2 --cap-add CAP_NET_ADMIN,kill --cap-drop all IMAGE': {
      securityContext: {
        ...{ privileged: true, readOnlyRootFilesystem: true, runAsUser: 1, runAsGroup: 2 },
        capabilities: { add: ['NET_ADMIN', 'KILL'], drop: ['ALL'] },
      },
    },
    'podman run --security-opt no-new-privileges --security-opt seccomp=unconfined IMAGE': {
      securityContext: { allowPrivilegeEscalation: false, seccompProfile: { type: 'Unconfined' } },
    },
    'podman run --memory 512m --cpus=0.5 IMAGE': { resources: { limits: { memory: '512Mi', cpu: '0.5' } } },
    'podman run -v /a:/b:ro,rslave IMAGE': {
      volumeMounts: [{ name: 'volume-1', mountPath: '/b', readOnly: true, mountPropagation: 'HostToContainer' }],
    },
  }
  for (const [run, expected] of Object.entries(fields))
    it(run, () => assert.deepEqual(containerOf(run), { name: 'web', image, ...expected }))
  it('namespaces, names and volumes of the pod', () => {
    const run =
      'podman run --net=host --pid=host --ipc=host --hostname h --add-host db:1.2.3.4 --dns 1.1.1.1 --tmpfs /t:size=1m -v /a:/b --rm IMAGE'
    const { containers: _, ...rest } = spec(run, { Volumes: { '/data': {}, '/b': {} } })
    assert.deepEqual(rest, {
      ...{ restartPolicy: 'Never', hostNetwork: true, hostPID: true, hostIPC: true, hostname: 'h' },
      hostAliases: [{ ip: '1.2.3.4', hostnames: ['db'] }],
      ...{ dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'] } },
      volumes: [
        { name: 'volume-1', hostPath: { path: '/a' } },
        { name: 'volume-2', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        { name: 'volume-3', emptyDir: {} },
      ],
    })
  })
  it('what the image says of itself', () => {
    const config = { Entrypoint: ['e'], Cmd: ['c'], WorkingDir: '/w', User: '7', ExposedPorts: { '80/tcp': {} } }
    const of = {
      command: ['e'],
      args: ['c'],
      workingDir: '/w',
      securityContext: { runAsUser: 7 },
      ports: [{ containerPort: 80, protocol: 'TCP' }],
    }
    assert.deepEqual(containerOf('podman run IMAGE', config), { name: 'web', image, ...of })
  })
  it('a Job runs it once', () => {
    const { apiVersion, kind, spec } = kubeManifest(deployed('podman run -d IMAGE'), 'Job')
    const { backoffLimit, template } = spec as { backoffLimit: number; template: { spec: { restartPolicy: string } } }
    assert.deepEqual([apiVersion, kind, backoffLimit], ['batch/v1', 'Job', 0])
    assert.equal(template.spec.restartPolicy, 'Never')
  })
})

describe('what cannot be said there is refused', () => {
  const rows: Readonly<Record<string, RegExp>> = {
    'podman run --net=none IMAGE': /generate kube --network none: a pod always has a network/,
    'podman run --ulimit nofile=1 IMAGE': /--ulimit: a manifest has no limits/,
    'podman run --env-file x IMAGE': /--env-file: the file is not on the cluster/,
    'podman run -e HOME IMAGE': /--env HOME: there is no caller/,
    'podman run -u web IMAGE': /--user web: a manifest takes numbers/,
    'podman run --device /dev/kvm IMAGE': /--device \/dev\/kvm: a manifest gives devices to privileged/,
    'podman run --init IMAGE': /--init=true: a manifest has no place for it/,
    'podman run -p 1-9:1-9 IMAGE': /takes one port number/,
    'podman run --net=host -p 8080:80 IMAGE': /--publish 8080:80: in the network of the host a port stays itself/,
    'podman run --security-opt mask=/x IMAGE': /--security-opt mask=\/x/,
    'podman rm -f NAME': /label RUN: it is a command of podman, and does not run the image/,
    'podman run other': /label RUN: it runs another image: other/,
    'podman run --name ../x IMAGE': /"\.\.\/x": it is not a container name/,
  }
  for (const [run, says] of Object.entries(rows))
    it(run, () =>
      assert.throws(
        () => kubeManifest(deployed(run), 'Pod'),
        (error) => error instanceof BuilderError && says.test(error.message),
      ),
    )
  it('a line end in a volume of a unit', () =>
    assert.throws(() => quadletUnit(deployed("podman run -v '/a\n/b:/c' IMAGE")), /Volume=.*: no unit can hold it/))
  it('a variable without a value in a unit', () =>
    assert.throws(() => quadletUnit(deployed('podman run -e HOME IMAGE')), /a service has no caller to take it from/))
})

before(async () => {
  await said('from', '--name', 'c', 'scratch')
  await said(
    'config',
    '--port',
    '80',
    '--runlabel',
    "run=podman run --net=host --privileged -v '/a b:/x' --name NAME IMAGE sh -c 'yes: no # x'",
    '--label',
    'odd=podman rm -f NAME',
    'c',
  )
  await said('commit', '-q', '--rm', 'c', 'web')
})

test('the verbs print what podman, systemd and kubectl read', async (t) => {
  assert.match(
    await said('generate', 'quadlet', '--name', 'mine', 'web', 'RUN'),
    /\nContainerName=mine\n.*\nVolume=\/a b:\/x\n/s,
  )
  const text = await said('generate', 'kube', '--kind', 'Job', 'web')
  const made = parse(text)
  assert.equal(made.spec.template.spec.containers[0].args[2], 'yes: no # x')
  if (!needs(t, 'kubectl')) return
  // Without a cluster kubectl drops the fields that its types do not have, and refuses values of another type.
  const file = join(tempDir(t), 'web.yaml')
  writeFileSync(file, text)
  const ran = await command(['kubectl', 'set', 'image', '--local', '-f', file, 'web=other', '-o', 'json'], {
    env: { HOME: tempDir(t) },
  })
  const read = JSON.parse(ran.stdout || '{}')
  const expected = parse(readFileSync(file, 'utf8'))
  expected.spec.template.spec.containers[0].image = 'other'
  assertWithin(expected, read, ran.stderr)
})

/** Every field of the one is in the other. */
function assertWithin(expected: unknown, found: unknown, path: string): void {
  if (typeof expected !== 'object' || expected === null) assert.deepEqual(found, expected, path)
  else
    for (const [key, value] of Object.entries(expected))
      assertWithin(value, (found as Record<string, unknown> | undefined)?.[key], `${path}.${key}`)
}

refuses([
  [['generate', 'quadlet'], /^builder: generate quadlet IMAGE: it is missing/],
  [['generate', 'quadlet', 'nope'], /^builder: generate nope: /],
  [['generate', 'kube', 'web', 'nope'], /find label nope: .* has only odd, run/],
  [['generate', 'kube', 'web', 'odd'], /label odd: it is a command of podman/],
  [['generate', 'kube', '--kind', 'pod', 'web'], /"pod" is not one of Pod, Job/],
])
