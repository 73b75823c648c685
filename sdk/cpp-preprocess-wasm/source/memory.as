/** Memory that only grows, for one run: the host makes a new instance for the next. Temporary buffers are used again. */

let top: usize = 0

/** Room for `size` bytes, at a multiple of 8. The limits of a run keep it far below what WebAssembly can address. */
export function allocate(size: usize): usize {
  if (top == 0) top = __heap_base
  const at = (top + 7) & ~7
  top = at + size
  const pages = (top + 0xffff) >>> 16
  const have = usize(memory.size())
  if (pages > have) {
    // By an eighth more than asked, so that not every line grows it.
    const wanted = pages - have + (have >>> 3)
    if (memory.grow(i32(wanted)) < 0 && memory.grow(i32(pages - have)) < 0) unreachable()
  }
  return at
}

/** Bytes that grow at the end. */
@unmanaged
export class Buffer {
  at: usize
  size: usize
  capacity: usize
  /** The next one that nobody uses. */
  next: Buffer | null

  @inline
  get end(): usize {
    return this.at + this.size
  }

  @inline
  put(byte: u8): void {
    if (this.size == this.capacity) this.grow(1)
    store<u8>(this.at + this.size, byte)
    this.size++
  }

  @inline
  append(from: usize, size: usize): void {
    if (size > this.capacity - this.size) this.grow(size)
    memory.copy(this.at + this.size, from, size)
    this.size += size
  }

  put32(value: u32): void {
    if (this.capacity - this.size < 4) this.grow(4)
    store<u32>(this.at + this.size, value)
    this.size += 4
  }

  putNumber(value: u32): void {
    if (value >= 10) this.putNumber(value / 10)
    this.put(u8(0x30 + (value % 10)))
  }

  private grow(more: usize): void {
    const capacity = max<usize>(this.capacity * 2, this.size + more + 64)
    const at = allocate(capacity)
    memory.copy(at, this.at, this.size)
    this.at = at
    this.capacity = capacity
  }
}

export function newBuffer(capacity: usize): Buffer {
  const buffer = changetype<Buffer>(allocate(offsetof<Buffer>()))
  buffer.at = allocate(capacity)
  buffer.size = 0
  buffer.capacity = capacity
  buffer.next = null
  return buffer
}

let unused: Buffer | null = null

/** An empty buffer for a while; {@link giveBack} it. */
export function borrow(): Buffer {
  const buffer = unused
  if (buffer === null) return newBuffer(256)
  unused = buffer.next
  buffer.size = 0
  return buffer
}

export function giveBack(buffer: Buffer): void {
  buffer.next = unused
  unused = buffer
}

/** Text that stays as it is, copied to where it can stay. */
export function kept(from: usize, size: usize): usize {
  const at = allocate(size + 1)
  memory.copy(at, from, size)
  store<u8>(at + size, 0)
  return at
}

export function same(a: usize, b: usize, size: usize): bool {
  return memory.compare(a, b, size) == 0
}
