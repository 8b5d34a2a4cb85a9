/** The two bytes of a 16-bit value swapped, unsigned. */
export function swap16(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
}

/** The four bytes of a 32-bit value reversed, unsigned. */
export function swap32(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | ((value >>> 24) & 0xff)) >>> 0;
}

/** The bytes of a value of `size` 1, 2 or 4 reversed, unsigned. */
export function swap(value: number, size: number): number {
  return size === 4 ? swap32(value) : size === 2 ? swap16(value) : value & 0xff;
}

/** A view of the same bytes as `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
