import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson } from '../../sdk/image/config.js'
import { mediaTypes } from '../../sdk/image/descriptor.js'
import { add, type Sample, sampleImage } from '../transport/sample.js'
import { insecure, newRegistryScene } from './registry-scene.js'

const scene = await newRegistryScene()
const { ok, refuses: fails, remote } = scene

/** Something that refers to an image: a manifest with a subject. */
function referrerTo(image: Sample, artifactType: string): Sample {
  const blobs = new Map(image.blobs)
  const config = add(blobs, 'application/vnd.oci.empty.v1+json', '{}')
  const layers = [add(blobs, artifactType, `of type ${artifactType}`)]
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config,
    layers,
    subject: image.top,
  }
  return { ...image, config, layers, blobs, top: add(blobs, mediaTypes.manifest, canonicalJson(manifest)) }
}

test('referrers lists what refers to an image, all or of one type', async () => {
  const image = sampleImage()
  await scene.upload('web:1', image)
  assert.equal(await ok(['referrers', insecure, remote('web:1')]), '[]')
  const [list, signature] = ['application/spdx+json', 'application/vnd.example.signature'] as const
  for (const [tag, type] of [
    ['sbom', list],
    ['sig', signature],
  ] as const)
    await scene.upload(`web:${tag}`, referrerTo(image, type))
  const types = async (...words: string[]) =>
    JSON.parse(await ok(['referrers', insecure, ...words])).map((one: { artifactType: string }) => one.artifactType)
  assert.deepEqual(await types(remote('web:1')), [list, signature])
  assert.deepEqual(await types('--artifact-type', list, remote(`web@${image.top.digest}`)), [list])
  await fails(['referrers', insecure, remote('web:gone')], [/web:gone: .*no such image/])
})
