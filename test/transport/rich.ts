import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { type Bench, hostBytes, type Sample, sampleImage, tarOf } from './sample.js'

/**
 * An image as distributions make them: hard links, odd names, empty and large files, whiteouts, and a layer that
 * another image has too.
 */
export function richImage(bench: Bench, compression: 'none' | 'gzip' | 'zstd' = 'gzip'): Sample {
  const folder = bench.at('rich')
  mkdirSync(`${folder}/usr/share/${'deep/'.repeat(40)}`, { recursive: true })
  for (const name of oddNames) writeFileSync(Buffer.concat([Buffer.from(`${folder}/usr/`), name]), `${name}\n`)
  writeFileSync(`${folder}/usr/share/${'deep/'.repeat(40)}file`, 'deep')
  writeFileSync(`${folder}/empty`, '')
  writeFileSync(`${folder}/large`, Buffer.alloc(3 * 1024 * 1024 + 1, 'not so random'))
  linkSync(`${folder}/large`, `${folder}/usr/hard link`)
  symlinkSync('/etc/passwd', `${folder}/usr/link`)
  symlinkSync('usr', `${folder}/lib`)
  const options = ['--sort=name', '--numeric-owner', '--owner=7', '--group=8', '--mtime=@1700000000']
  const first = hostBytes(['tar', ...options, '--format=gnu', '-cf', '-', '-C', folder, '.'])
  const pax = hostBytes(['tar', ...options, '--format=posix', '-cf', '-', '-C', folder, 'usr', 'lib'])
  const whiteouts = tarOf([
    ['.wh.empty', ''],
    ['usr/share/.wh..wh..opq', ''],
    ['usr/.wh.link', ''],
    ['usr/new', 'new\n'],
  ])
  return sampleImage({ tars: [first, sharedLayer, pax, whiteouts, sharedLayer], compression })
}

/** The layer that every such image has. */
export const sharedLayer = tarOf({ shared: 'shared\n'.repeat(1000) })

const oddNames = [
  ...['with blank', 'new\nline', 'quote"back\\slash', 'größe', '日本', "'$(id)'", '-rf', `${'l'.repeat(200)}`],
].map((name) => Buffer.from(name))
oddNames.push(Buffer.from([0x6c, 0xe4, 0x74, 0xff]))
