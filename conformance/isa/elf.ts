/** A static executable of one segment. Source: System V ABI, ELF header and program header; RISC-V ELF psABI. */

/** Wrap an image for `address` into an executable file. */
export function executable(xlen: 32 | 64, address: number, image: Uint8Array): Uint8Array {
  const at = 0x1000;
  const file = new Uint8Array(at + image.length);
  const v = new DataView(file.buffer);
  const wide = xlen === 64;
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  v.setUint16(16, 2, true); // ET_EXEC
  v.setUint16(18, 243, true); // EM_RISCV
  v.setUint32(20, 1, true);
  let p = 24;
  const word = (value: number): void => {
    v.setUint32(p, value, true);
    p += wide ? 8 : 4;
  };
  word(address); // entry
  word(wide ? 64 : 52); // program headers
  word(0); // section headers
  v.setUint32(p, 5, true); // flags: RVC, double float ABI
  v.setUint16(p + 4, wide ? 64 : 52, true);
  v.setUint16(p + 6, wide ? 56 : 32, true);
  v.setUint16(p + 8, 1, true);
  p = wide ? 64 : 52;
  v.setUint32(p, 1, true); // PT_LOAD
  p += 4;
  if (wide) {
    v.setUint32(p, 7, true);
    p += 4;
  }
  word(at);
  word(address);
  word(address);
  word(image.length);
  word(image.length);
  if (!wide) {
    v.setUint32(p, 7, true); // readable, writable, executable
    p += 4;
  }
  word(0x1000);
  file.set(image, at);
  return file;
}
