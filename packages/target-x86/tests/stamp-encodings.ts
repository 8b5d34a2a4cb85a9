/** Random instructions of those that are stamped, in all their forms. */

/** A number below `n`. */
type Random = (n: number) => number;

/** Opcodes of one byte with ModRM: arithmetic, MOV, TEST, MOVSXD, LEA. */
const WITH_MODRM = [
  ...[0, 8, 0x20, 0x28, 0x30, 0x38].flatMap((op) => [op, op + 1, op + 2, op + 3]),
  0x84, 0x85, 0x88, 0x89, 0x8a, 0x8b, 0x8d, 0x63,
] as const; // prettier-ignore
/** Behind 0F: MOVZX, MOVSX, CMOVcc, SETcc, NOP. */
const TWO_BYTES = [
  0xb6, 0xb7, 0xbe, 0xbf, 0x44, 0x4c, 0x42, 0x47, 0x4f, 0x48, 0x4a, 0x94, 0x92, 0x9c, 0x9f, 0x96, 0x1f,
];

/** Gives an encoder of random instructions for code of `mode` bits. */
export function encodingsOf(mode: 32 | 64, random: Random): () => number[] {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const integer = (bytes: number): number[] => {
    const n = pick([0, 1, -1, 5, -5, 0x7f, -0x80, 0x1234, -0x1234, 0x1234_5678, -0x1234_5678, 8, -8, 31, 33]);
    return Array.from({ length: bytes }, (_, i) => (n >> (8 * i)) & 255);
  };
  const displacement = (bytes: number): number[] => {
    const n = pick([0, 8, -8, 0x40, -0x40, bytes === 4 ? 0x1000 : 1]);
    return Array.from({ length: bytes }, (_, i) => (n >> (8 * i)) & 255);
  };
  /** ModRM with what follows it; `reg` is an extension of the opcode, or any register. */
  const modrm = (reg: number = random(8)): number[] => {
    const mod = pick([3, 3, 3, 0, 1, 2]);
    const rm = random(8);
    const first = (mod << 6) | (reg << 3) | rm;
    if (mod === 3) return [first];
    const sib = rm === 4 ? [random(256)] : [];
    const bytes = mod === 1 ? 1 : mod === 2 || rm === 5 || (rm === 4 && (sib[0]! & 7) === 5) ? 4 : 0;
    return [first, ...sib, ...displacement(bytes)];
  };
  const prefixes = (): number[] => [
    ...(random(8) === 0 ? [0x66] : []),
    ...(random(24) === 0 ? [0x67] : []),
    ...(mode === 64 && random(2) === 0 ? [0x40 | random(16)] : []),
  ];
  return () => {
    const before = prefixes();
    const immediate = before.includes(0x66) && !before.some((byte) => (byte & 0xf8) === 0x48) ? 2 : 4;
    switch (random(14)) {
      case 0:
        return [...before, 0x50 + random(16)];
      case 1:
        return [...before, 0xf, pick(TWO_BYTES), ...modrm()];
      case 2:
        return [...before, 0x83, ...modrm(pick([0, 1, 4, 5, 6, 7])), ...integer(1)];
      case 3:
        return [...before, 0x81, ...modrm(pick([0, 1, 4, 5, 6, 7])), ...integer(immediate)];
      case 4:
        return [...before, pick([0xc0, 0xc1]), ...modrm(pick([4, 5, 7])), ...integer(1)];
      case 5:
        return [...before, pick([0xd0, 0xd1, 0xd2, 0xd3]), ...modrm(pick([4, 5, 7]))];
      case 6:
        return [...before, 0xc7, ...modrm(0), ...integer(immediate)];
      case 7:
        return [...before, pick([0xf6, 0xf7]), ...modrm(pick([2, 3]))];
      case 8:
        return [...before, pick([0xfe, 0xff]), ...modrm(pick([0, 1]))];
      case 9:
        return [0x70 + random(16), pick([0, 2, 0x10, 0xf0])];
      case 10:
        return pick([[0xe8, 4, 0, 0, 0], [0xe8, 0, 0, 0, 0], [0xeb, 2], [0xc3], [0xff, 0xd0 + random(8)], [0xff, 0x36], [0x68, ...integer(4)], [0x6a, ...integer(1)]]); // prettier-ignore
      default:
        return [...before, pick(WITH_MODRM), ...modrm()];
    }
  };
}
