import { preprocessModule } from './module.gen.js'

/** What the module exports: numbers only. Addresses and sizes are bytes of its memory. */
export interface Instance {
  readonly memory: { readonly buffer: ArrayBuffer }
  allocate(size: number): number
  start(mode: number, seed: number, depth: number, input: number, output: number, most: number, size: number): void
  defineName(at: number, size: number): void
  undefineName(at: number, size: number): void
  open(file: number, at: number, size: number, nameAt: number, nameSize: number): void
  provide(file: number, at: number, size: number, nameAt: number, nameSize: number): void
  miss(): void
  run(): number
  kindWanted(): number
  nameWanted(): number
  nameWantedSize(): number
  frameWanted(): number
  outputAt(): number
  outputSize(): number
  outputLines(): number
  placesAt(): number
  placesSize(): number
  framesAt(): number
  framesSize(): number
  faultsAt(): number
  faultsSize(): number
}

/** The module with memory of its own. It has nothing to import. */
export function newInstance(): Instance {
  compiled ??= new WebAssembly.Module(
    Uint8Array.from(atob(preprocessModule.replace(/\s/g, '')), (c) => c.charCodeAt(0)),
  )
  return new WebAssembly.Instance(compiled).exports
}

/** As far as it is used here: every JavaScript engine has it, and no library of types for Node names it. */
interface Compiler {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: Instance }
}

const { WebAssembly } = globalThis as unknown as { WebAssembly: Compiler }
let compiled: object | undefined
