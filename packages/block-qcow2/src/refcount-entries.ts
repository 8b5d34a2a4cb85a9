/** How refcounts of one width lie in a block. */
export interface RefcountEntries {
  /** Largest count; 2^53 - 1 for 64 bits. */
  readonly max: number;
  read(view: DataView, index: number): number;
  write(view: DataView, index: number, value: number): void;
}

function small(order: number): RefcountEntries {
  const bits = 1 << order;
  const mask = (1 << bits) - 1;
  const perByte = 3 - order;
  const last = (1 << perByte) - 1;
  return {
    max: mask,
    read: (view, i) => (view.getUint8(i >>> perByte) >>> ((i & last) << order)) & mask,
    write(view, i, value) {
      const shift = (i & last) << order;
      const at = i >>> perByte;
      view.setUint8(at, (view.getUint8(at) & ~(mask << shift)) | (value << shift));
    },
  };
}

const ENTRIES: readonly RefcountEntries[] = [
  small(0),
  small(1),
  small(2),
  { max: 255, read: (view, i) => view.getUint8(i), write: (view, i, value) => view.setUint8(i, value) },
  { max: 65535, read: (view, i) => view.getUint16(i * 2), write: (view, i, value) => view.setUint16(i * 2, value) },
  {
    max: 2 ** 32 - 1,
    read: (view, i) => view.getUint32(i * 4),
    write: (view, i, value) => view.setUint32(i * 4, value),
  },
  {
    max: Number.MAX_SAFE_INTEGER,
    read(view, i) {
      const value = view.getUint32(i * 8) * 2 ** 32 + view.getUint32(i * 8 + 4);
      return Math.min(value, Number.MAX_SAFE_INTEGER);
    },
    write(view, i, value) {
      view.setUint32(i * 8, Math.floor(value / 2 ** 32));
      view.setUint32(i * 8 + 4, value >>> 0);
    },
  },
];

/** Access to refcounts of 2^order bits, order 0 to 6. Source: qcow2 specification, "Host cluster management". */
export function refcountEntries(order: number): RefcountEntries {
  const found = ENTRIES[order];
  if (!found) throw new RangeError(`refcount order ${order}`);
  return found;
}
