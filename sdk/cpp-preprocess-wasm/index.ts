import type { Limits } from './messages.js'
import type { Preprocessed } from './result.js'
import { type IncludedFile, type IncludeKind, run } from './run.js'

export type { DiagnosticCode, Limits } from './messages.js'
export type { Diagnostic, LineMap, Origin, Place, Preprocessed } from './result.js'
export type { IncludedFile, IncludeKind } from './run.js'

/** Options of {@link preprocess}. */
export interface PreprocessOptions {
  /** The name of the source in messages, in the map and in `__FILE__`; `<source>` when absent. */
  readonly file?: string
  /**
   * Finds an included file, by the name as it is written, how it is quoted, and the name of the file that includes it.
   * `undefined` when there is none. Without it no include is found. What it throws comes out of {@link preprocess}.
   */
  readonly include?: (name: string, kind: IncludeKind, from: string) => IncludedFile | undefined
  /** As `-D` has them: `NAME`, `NAME=text`, `NAME(a, b)=text`. */
  readonly defines?: readonly string[]
  /** Names that are not to be defined, as `-U` has them; they come after the definitions. */
  readonly undefines?: readonly string[]
  /** `containerfile` when absent. The other is what `cpp -E -traditional -undef` does. */
  readonly mode?: 'containerfile' | 'traditional'
  /** Only with `traditional`: lines `# 1 "file"`, as cpp writes them without `-P`. */
  readonly lineMarkers?: boolean
  readonly limits?: Partial<Limits>
}

/** Options of {@link preprocessAsync}. */
export interface PreprocessAsyncOptions extends Omit<PreprocessOptions, 'include'> {
  /** As in {@link PreprocessOptions}, and may take its time. */
  readonly include?: (
    name: string,
    kind: IncludeKind,
    from: string,
  ) => IncludedFile | undefined | Promise<IncludedFile | undefined>
}

/**
 * Preprocesses a text. Nothing but `include` reaches outside: the WebAssembly module behind it imports nothing.
 * It throws for nothing that is in the text: that is in the `diagnostics`.
 *
 * @example
 * ```ts
 * import { preprocess } from 'cpp-preprocess-wasm'
 * const { text, diagnostics } = preprocess('#define TAG 12\nFROM debian:TAG\n', { file: 'Containerfile.in' })
 * console.log(diagnostics.length === 0 ? text : diagnostics[0]?.message)
 * ```
 */
export function preprocess(source: string | Uint8Array, options: PreprocessOptions = {}): Preprocessed {
  const work = run(source, runOptions(options))
  for (let next = work.next(); ; ) {
    if (next.done) return next.value
    const { name, kind, from } = next.value
    next = work.next(options.include?.(name, kind, from))
  }
}

/** As {@link preprocess}, for includes that must be waited for. */
export async function preprocessAsync(
  source: string | Uint8Array,
  options: PreprocessAsyncOptions = {},
): Promise<Preprocessed> {
  const work = run(source, runOptions(options))
  for (let next = work.next(); ; ) {
    if (next.done) return next.value
    const { name, kind, from } = next.value
    next = work.next(await options.include?.(name, kind, from))
  }
}

function runOptions({ file, defines, undefines, mode, lineMarkers, limits }: Omit<PreprocessOptions, 'include'>) {
  return {
    file: file ?? '<source>',
    defines: [...(mode === 'traditional' ? standardNames : []), ...(defines ?? [])],
    undefines: undefines ?? [],
    limits: { depth: 200, input: 32 * 1024 * 1024, output: 64 * 1024 * 1024, expansions: 2_000_000, ...limits },
    traditional: mode === 'traditional',
    lineMarkers: lineMarkers ?? false,
  }
}

/** What GNU cpp itself defines, also with -undef. */
const standardNames = ['__STDC_HOSTED__=1', '__STDC_UTF_16__=1', '__STDC_UTF_32__=1', '__STDC_VERSION__=201710L']
