import * as fs from "node:fs";

/** Bytes that a pipe may give: kernels and initial RAM disks of other programs' output. */
const MOST_OF_PIPE: number = 256 << 20;
/** Bytes that a character device may give: /dev/null has none, /dev/zero no end. */
const MOST_OF_DEVICE: number = 1 << 16;
const PIECE = 1 << 16;

/** All of a file; of a pipe or device only so much as it may give. @throws Error of Node, or one that says what is too long */
export function readWhole(path: string): Uint8Array {
  const stat = fs.statSync(path);
  if (stat.isFile()) return fs.readFileSync(path);
  const most = stat.isCharacterDevice() ? MOST_OF_DEVICE : MOST_OF_PIPE;
  const fd = fs.openSync(path, "r");
  try {
    const pieces: Uint8Array[] = [];
    for (let length = 0; ;) {
      const piece = Buffer.allocUnsafe(PIECE);
      const n = fs.readSync(fd, piece, 0, PIECE, null);
      if (n === 0) return Buffer.concat(pieces);
      length += n;
      if (length > most)
        throw new Error(`it is ${stat.isFIFO() ? "a pipe" : "a device"} that gives more than ${most} bytes`);
      pieces.push(piece.subarray(0, n));
    }
  } finally {
    fs.closeSync(fd);
  }
}
