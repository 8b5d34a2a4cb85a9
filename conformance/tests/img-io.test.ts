/** `mimus io` prints what qemu-io 7.2 prints, and ends as it does. */
import { describe, expect, it } from "vitest";
import { hasQemuTools, ImagePair } from "../lib/img.ts";

const there = hasQemuTools();
const IMAGES = [
  "qemu-img create -q -f raw a.raw 1M && qemu-io -f raw -c 'write -P 5 4k 8k' a.raw",
  "qemu-img create -q -f qcow2 a.qcow2 2M && qemu-img create -q -f vdi z.vdi 1M",
  "qemu-img create -q -f qcow2 -b a.raw -F raw b.qcow2 && printf qqqq >key",
];

const REPEATED = [
  ["write 0 4k", "read -P 0xcd 0 4k", "read -v 0 40", "info", "map", "length", "alloc 0", "alloc 0 100M"],
  [
    "read 0 1",
    "read -P 3 0 512",
    "read -l 4 0 5",
    "read -P 3 -s 1k 0 512",
    "read -z 0 1",
    "write -P 300 0 1",
    "write -C 0 4k",
    "read -C 0 4k",
  ],
  [
    "writev 0 1k 2k",
    "readv -v 0 16 16",
    "aio_write 0 4k",
    "aio_flush",
    "aio_read 0 4k",
    "aio_flush",
    "discard 0 64k",
    "truncate 2M",
    "length",
  ],
  [
    "write -z 0 4k",
    "write -zu 0 4k",
    "foo",
    "read",
    "read x 1",
    "read 0 y",
    "sleep 1",
    "write -s key 0 1k",
    "read -v 0 20",
    "read -s 4 -l 4 -P 0x71 0 1k",
  ],
  [
    "write -q 0 1k",
    "read 100M 1k",
    "write 100M 1k",
    "reopen -r",
    "write 0 1k",
    "reopen -w",
    "write 0 1k",
    "reopen -rw",
    "reopen -x",
  ],
  ["close", "read 0 1", "open -o driver=vdi,file.filename=z.vdi", "info", "open x", "flush"],
  [
    "write -n 0 1",
    "write -u 0 1",
    "write -zP 3 0 4k",
    "write -bz 0 1",
    "write 0 2G",
    "write -b 1 1",
    "write -s nofile 0 1k",
    "info x",
  ],
  [
    "truncate",
    "truncate x",
    "truncate -m foo 1M",
    "resume A",
    "break x y",
    "help foo",
    "alloc x",
    "sleep x",
    "sleep",
    "read -1 4",
  ],
  [
    "aio_write 5M 4k",
    "aio_flush",
    "aio_read -P 3 0 4",
    "aio_flush",
    "aio_read -i 0 4k",
    "write -b 0 4k",
    "read -b 0 4k",
  ],
];

/** Requests that are stopped and go on. */
const STOPPED = [
  ["break write_aio A", "aio_write 0 64k", "wait_break A", "resume A", "aio_flush", "aio_write 0 4k", "aio_flush"],
  ["break nonsense A"],
  ["resume A"],
  ["remove_break A"],
  ["break read_aio A", "remove_break A", "read 0 4k"],
  [
    ...["break read_aio A", "break read_aio B", "aio_read 0 4k", "wait_break A", "resume A"],
    ...["wait_break B", "resume B", "aio_flush"],
  ],
  ["break write_aio A", "aio_write 0 64k", "wait_break A", "remove_break A", "aio_flush"],
  ...["pwritev", "pwritev_done"].map((e) => [
    ...[`break ${e} A`, "aio_write 0 64k", "wait_break A", "resume A", "aio_flush"],
  ]),
];

const LINES: readonly (readonly string[])[] = [
  ...["a.raw", "a.qcow2", "b.qcow2"].flatMap((image) =>
    REPEATED.map((commands) => [
      "-f",
      image === "a.raw" ? "raw" : "qcow2",
      ...commands.flatMap((c) => ["-c", c]),
      image,
    ]),
  ),
  ...STOPPED.map((commands) => ["-f", "raw", ...commands.flatMap((c) => ["-c", c]), "blkdebug::a.raw"]),
  ["-r", "-f", "raw", "-c", "write 0 1k", "a.raw"],
  ["-s", "-f", "raw", "-c", "write 0 4k", "-c", "read -P 0xcd 0 4k", "a.raw"],
  ["-t", "foo", "a.raw"],
  ["-d", "foo", "a.raw"],
  ["--image-opts", "-f", "raw", "x"],
  ["-f", "raw", "nope"],
  ["-c", "write -c 1M 64k", "-c", "read -P 0xcd 1M 64k", "-c", "write -c 0 1k", "a.qcow2"],
];

describe.skipIf(!there)("mimus io", () => {
  it(`answers ${LINES.length} command lines as qemu-io does`, { timeout: 120_000 }, async () => {
    const pair = new ImagePair(IMAGES);
    try {
      for (const line of LINES) {
        const { theirs, ours } = await pair.io(line);
        expect(ours, `qemu-io ${line.join(" ")}`).toEqual(theirs);
      }
    } finally {
      pair.remove();
    }
  });
});
