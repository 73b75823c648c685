import { emptyConfig } from '../image/config.js'
import { hostPlatform } from '../image/platform.js'
import { cannot, convertConfig, type Known } from './convert-config.js'
import { convertPlace, convertRun, convertWorkdir, type Origin } from './convert-files.js'
import { givenName } from './convert-names.js'
import type { Base, Statement } from './convert-recipe.js'
import { StageScope } from './convert-scope.js'
import { text } from './convert-value.js'
import type { Conversion, StageEnd } from './convert-whole.js'
import { evaluateConfig, withExecution } from './evaluate-config.js'
import { parseTrigger } from './parse.js'
import { findStage, type StagePlan } from './plan-stage.js'
import type { Situation } from './situation.js'
import type { ArgInstruction, Instruction } from './syntax.js'

/** Converts one stage; those that it needs were converted before. Throws `INVALID`, with the place. */
export function convertStage(whole: Conversion, plan: StagePlan): StageEnd {
  return new StageConversion(whole, plan).convert()
}

/** A stage that is being converted, line by line. */
class StageConversion {
  readonly #scope: StageScope
  #situation: Situation
  readonly #triggers: string[] = []

  constructor(
    readonly whole: Conversion,
    readonly plan: StagePlan,
  ) {
    const { stage, base } = plan
    const below = base.kind === 'stage' ? whole.ends.get(base.index) : undefined
    const container = whole.names.unique(stage.name ?? (whole.file.stages.length === 1 ? 'c' : `stage${stage.index}`))
    const hasBase = below ? below.hasBase : base.kind === 'image'
    const escaping = whole.file.directives.escape
    this.#scope = new StageScope(container, whole.names, escaping, hasBase, below?.env ?? new Map(), whole.add)
    const config = emptyConfig(hostPlatform())
    this.#situation = {
      config: below?.shell ? withExecution(config, { Shell: below.shell }) : config,
      scope: { values: new Map(), declared: new Set(), inherited: new Map(), given: new Map(), escape: escaping },
      hasCommand: false,
    }
  }

  convert(): StageEnd {
    const { base, stage } = this.plan
    const below = base.kind === 'stage' ? this.whole.ends.get(base.index) : undefined
    this.#from()
    for (const trigger of below?.triggers ?? []) this.#instruction(parseTrigger(trigger, stage.from.image))
    for (const instruction of stage.instructions) this.#instruction(instruction)
    const { env, container, hasBase } = this.#scope
    const shell = this.#situation.config.config?.Shell
    return { container, env, hasBase, triggers: this.#triggers, shell }
  }

  get #known(): Known {
    return { scope: this.#scope, situation: this.#situation }
  }

  #from(): void {
    const { whole, plan } = this
    const { from, name } = plan.stage
    whole.add({ kind: 'gap' })
    const comments = whole.comments(from.position)
    for (const comment of comments) whole.add({ kind: 'comment', text: comment })
    if (comments.length === 0 && name !== undefined && whole.file.stages.length > 1)
      whole.add({ kind: 'comment', text: `# ${name}` })
    const platform = from.platform === undefined ? {} : { platform: whole.globalValue(from.platform, from.position) }
    whole.add({ kind: 'from', container: this.#scope.container, base: this.#base(), ...platform })
  }

  #base(): Base {
    const { base, stage } = this.plan
    if (base.kind === 'scratch') return { kind: 'image', name: text('scratch') }
    if (base.kind === 'image')
      return { kind: 'image', name: this.whole.globalValue(stage.from.image, stage.from.position) }
    return { kind: 'container', container: this.whole.ends.get(base.index)?.container ?? '' }
  }

  #instruction(instruction: Instruction): void {
    const { whole } = this
    for (const comment of whole.comments(instruction.position)) whole.add({ kind: 'comment', text: comment })
    for (const statement of this.#converted(instruction)) whole.add(statement)
  }

  #converted(instruction: Instruction): readonly Statement[] {
    switch (instruction.instruction) {
      case 'ARG':
        return this.#argument(instruction)
      case 'RUN':
        return convertRun(instruction, this.#known, this.#origin)
      case 'COPY':
      case 'ADD':
        return convertPlace(instruction, this.#known, this.#origin)
      case 'WORKDIR':
        return convertWorkdir(instruction, this.#known)
      default: {
        const statements = convertConfig(instruction, this.#known)
        if (instruction.instruction === 'ONBUILD') this.#triggers.push(instruction.value)
        if (instruction.instruction === 'SHELL')
          this.#situation = this.#after(evaluateConfig(instruction, this.#situation).changes)
        if (instruction.instruction === 'CMD') this.#situation = { ...this.#situation, hasCommand: true }
        return statements
      }
    }
  }

  #after(changes: Parameters<typeof withExecution>[1]): Situation {
    return { ...this.#situation, config: withExecution(this.#situation.config, changes) }
  }

  #argument({ args, position }: ArgInstruction): readonly Statement[] {
    const { whole } = this
    const scope = this.#scope
    const told = args.map(({ name, value }) => text(value === undefined ? name : `${name}=${value}`))
    for (const { name, value } of args) {
      const global = whole.globals.get(name)
      if (value === undefined && global) {
        scope.args.set(name, global)
        continue
      }
      const variable = whole.names.argument(name, scope.container)
      const automatic = value === undefined ? whole.automatic.get(name) : undefined
      const read = automatic === undefined ? value && scope.value(value, position) : text(automatic)
      const isKnown = whole.statements.some((one) => one.kind === 'argument' && one.variable === variable)
      const found = value === '' || read ? { value: read || [] } : {}
      if (!isKnown) whole.add({ kind: 'argument', variable, given: givenName(name), ...found })
      scope.args.set(name, { kind: 'variable', variable, isSet: 'value' in found })
    }
    return [
      {
        kind: 'call',
        verb: 'config',
        container: scope.container,
        options: [{ name: 'arg', kind: 'list', values: told }],
        words: [],
      },
    ]
  }

  readonly #origin: Origin = (name, position) => {
    const { whole, plan } = this
    if (name.includes('$')) throw cannot(position, 'a --from with a variable')
    const index = findStage(whole.file.stages, plan.stage.index, name, () => false, { position })
    const end = index === undefined ? undefined : whole.ends.get(index)
    return end && { container: end.container }
  }
}
