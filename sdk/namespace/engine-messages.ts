import type { WireError } from '../errors.js'

/** What the script sends. */
export type Request = { readonly id: number } & (
  | { readonly method: string; readonly args: unknown }
  | { readonly cancel: true }
)

/** What the engine answers: events and what the user is to read, then a value or an error. */
export type Reply = { readonly id: number } & (
  | { readonly event: unknown }
  | { readonly say: string }
  | { readonly value: unknown }
  | { readonly error: WireError }
)

/** What carries messages to an engine: the channel of a child process, or the FIFOs of a session. */
export interface Channel {
  readonly isOpen: boolean
  /** Throws for what cannot be copied. */
  send(request: Request, failed: () => void): void
  /** Whether it keeps this process alive. */
  hold(isHeld: boolean): void
}
