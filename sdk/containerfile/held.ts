/** Removes in turn all that was taken, the newest first; one that fails does not keep the others. */
export class Held implements AsyncDisposable {
  readonly #held: AsyncDisposable[] = []

  use<T extends AsyncDisposable>(one: T): T {
    this.#held.push(one)
    return one
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const results = await Promise.allSettled(this.#held.reverse().map((one) => one[Symbol.asyncDispose]()))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }
}
