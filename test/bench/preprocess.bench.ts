/** A Containerfile of 1 MB through the preprocessor, beside GNU cpp. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { preprocess } from '../../sdk/cpp-preprocess-wasm/index.js'
import { pair, type Row } from './pair.js'

const runs = 15

export async function measure(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const text = bigContainerfile()
    const file = join(folder, 'Containerfile.in')
    writeFileSync(file, text)
    const cpp = async () =>
      void (await promisify(execFile)('cpp', ['-E', '-traditional', '-undef', '-o', '/dev/null', file]))
    const ours = (mode: 'containerfile' | 'traditional') => async () => {
      const { diagnostics } = preprocess(text, { mode })
      if (diagnostics.length > 0) throw new Error(diagnostics[0]?.message)
    }
    const peer = 'GNU cpp'
    return [
      {
        work: 'preprocess 1 MB of Containerfile',
        peer,
        ...(await pair(ours('containerfile'), cpp, runs)),
        aim: '50 ms',
      },
      { work: 'the same, --cpp=traditional', peer, ...(await pair(ours('traditional'), cpp, runs)) },
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Without comments and globs, which GNU cpp would stumble over. */
function bigContainerfile(): string {
  const head =
    '#define VERSION 1.2.3\n#define INSTALL(packages) RUN apt-get install -y packages && rm -rf /var/lib/apt/lists\n'
  const parts: string[] = []
  for (let n = 0, size = head.length; size < 1_000_000; n++) {
    const part = `FROM debian:12 AS stage${n}
ARG NAME=value${n}
RUN curl -fsSL "https://example.com/$NAME/VERSION" -o /tmp/x && echo VERSION done \\
    && make install PREFIX=/opt/VERSION
#ifdef DEBUG
RUN gdb --version
#endif
INSTALL(gcc make)
COPY --from=build /out/stage${n} /usr/local/bin/stage${n}
`
    parts.push(part)
    size += part.length
  }
  return head + parts.join('')
}
