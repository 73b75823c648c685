/** Ten bytes without a name, a time or a system, so that they are the same everywhere. Source: RFC 1952, 2.3. */
export const gzipHeader: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)

/** The CRC-32 of many blocks from the CRC-32 of each. Source: RFC 1952, section 8. */
export class Checksum {
  #crc = 0
  #size = 0

  /** Adds a block of `size` bytes. */
  add(crc: number, size: number): void {
    this.#crc = (multiply(powerOfX(size), this.#crc) ^ crc) >>> 0
    this.#size += size
  }

  get crc(): number {
    return this.#crc
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size
  }
}

/** An empty last block, the checksum, and the size modulo 2^32. */
export function gzipEnd({ crc, size }: Checksum): Uint8Array {
  const end = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  end.writeUInt32LE(crc, 2)
  end.writeUInt32LE(size % 2 ** 32, 6)
  return end
}

/**
 * x to the power of 8 * bytes. A checksum is a polynomial over two elements, modulo the one below; bit 31 is x^0.
 * Bytes that follow multiply it by that power.
 */
function powerOfX(bytes: number): number {
  let power = 1 << 31
  let factor = 1 << 23
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = multiply(power, factor)
    factor = multiply(factor, factor)
  }
  return power
}

function multiply(one: number, other: number): number {
  let product = 0
  let shifted = other
  for (let bit = 31; bit >= 0; bit--) {
    if ((one >>> bit) & 1) product ^= shifted
    shifted = shifted & 1 ? (shifted >>> 1) ^ polynomial : shifted >>> 1
  }
  return product
}

const polynomial = 0xedb88320
