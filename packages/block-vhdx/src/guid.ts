/** Bytes of a GUID. */
export const GUID_BYTES = 16;
/** The GUID of nothing. */
export const NO_GUID: Uint8Array = new Uint8Array(GUID_BYTES);

/** The bytes of a GUID as text: three little-endian fields, then eight bytes. Source: [MS-DTYP] 2.3.4.2. */
export function guid(text: string): Uint8Array {
  const hex = text.replaceAll(/[-{}]/g, "");
  const raw = Array.from({ length: GUID_BYTES }, (_, i) => Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16));
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return Uint8Array.from(order, (i) => raw[i] ?? 0);
}

/** A GUID as text in braces. */
export function guidText(bytes: Uint8Array): string {
  const h = (...at: number[]): string => at.map((i) => (bytes[i] ?? 0).toString(16).padStart(2, "0")).join("");
  return `{${h(3, 2, 1, 0)}-${h(5, 4)}-${h(7, 6)}-${h(8, 9)}-${h(10, 11, 12, 13, 14, 15)}}`;
}

/** True when both are the same bytes. */
export function sameGuid(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < GUID_BYTES; i++) if (a[i] !== b[i]) return false;
  return true;
}
