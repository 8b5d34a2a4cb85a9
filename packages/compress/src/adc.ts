import { DecodeError, Output } from "./output.ts";

/** Apple Data Compression, in old disk images. Source: measured on images of hdiutil; the three codes are named below. */
export function adcDecompress(from: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const out = new Output("adc", size);
  let at = 0;
  const next = (): number => {
    const byte = from[at++];
    if (byte === undefined) throw new DecodeError("adc", "the data end early");
    return byte;
  };
  while (at < from.length && out.at < size) {
    const code = next();
    if (code & 0x80) {
      const length = (code & 0x7f) + 1; // bytes as they are
      out.literals(from, at, length);
      at += length;
    } else if (code & 0x40) {
      const high = next(); // 4 to 67 bytes from up to 64 KiB back
      out.match(((high << 8) | next()) + 1, (code & 0x3f) + 4);
    } else out.match((((code & 3) << 8) | next()) + 1, (code >> 2) + 3); // 3 to 18 bytes from up to 1 KiB back
  }
  return out.done();
}
