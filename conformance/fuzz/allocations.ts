/** Counts the bytes of buffers that programs ask for: what a hostile length field would make them do. */

/** Longest single buffer that is given out; more is a fault at once. */
const MOST = 1 << 28;

/** Replaces the constructors of buffers by ones that count. @returns bytes asked for until now */
export function countAllocations(): () => number {
  let total = 0;
  const note = (bytes: number): void => {
    if (bytes > MOST) throw new TypeError(`a buffer of ${bytes} bytes was asked for`);
    total += bytes;
  };
  const scope = globalThis as unknown as Record<string, unknown>;
  for (const name of ["Uint8Array", "Uint16Array", "Uint32Array", "Int32Array", "Float64Array", "BigUint64Array"]) {
    const Real = scope[name] as { new (a?: unknown, b?: number, c?: number): unknown; BYTES_PER_ELEMENT: number };
    const width = Real.BYTES_PER_ELEMENT;
    const Counted = function (a?: unknown, b?: number, c?: number): unknown {
      if (typeof a === "number") {
        note(a * width);
        return new Real(a);
      }
      if (c !== undefined) return new Real(a, b, c);
      return b === undefined ? new Real(a) : new Real(a, b);
    };
    Counted.prototype = (Real as unknown as { prototype: unknown }).prototype;
    Object.setPrototypeOf(Counted, Real);
    scope[name] = Counted;
  }
  const RealBuffer = ArrayBuffer;
  scope["ArrayBuffer"] = Object.setPrototypeOf(
    Object.assign(
      function (length: number, options?: unknown): unknown {
        note(length);
        return options === undefined ? new RealBuffer(length) : new RealBuffer(length, options as never);
      },
      { prototype: RealBuffer.prototype },
    ),
    RealBuffer,
  ) as unknown;
  return () => total;
}
