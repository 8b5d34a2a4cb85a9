/** What arrives on sockets and in packed data: NBD, QMP, compressed streams. */
import { constants, deflateRawSync, deflateSync, zstdCompressSync } from "node:zlib";
import { NullNode } from "@mimus/block";
import { bzip2Decompress, DecodeError, lzfseDecompress, portable, xzDecompress } from "@mimus/compress";
import { QmpMonitor } from "../../packages/storage-daemon/src/qmp.ts";
import { fuzzClient, fuzzServer } from "../../packages/nbd/src/fuzz.ts";
import type { ByteParser } from "./bytes.ts";
import type { FuzzOptions, Parser } from "./parser.ts";

async function conversations(options: FuzzOptions, talk: (seed: number) => Promise<"ended" | "hangs">) {
  const { count, seed, first, started, progress } = options;
  let longestMs = 0;
  let n = first;
  while (n < first + count) {
    started(n);
    const start = performance.now();
    let end: "ended" | "hangs";
    try {
      end = await talk((seed * 0x9e3779b1 + n) >>> 0);
    } catch (e) {
      throw new Error(`seed ${seed}, run ${n}: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`, {
        cause: e,
      });
    }
    if (end === "hangs") throw new Error(`seed ${seed}, run ${n}: the conversation hangs`);
    longestMs = Math.max(longestMs, performance.now() - start);
    n++;
    if ((n - first) % 64 === 0 && progress(n - first)) break;
  }
  return { runs: n - first, taken: n - first, refused: 0, longestMs };
}

/** Whole conversations: requests and replies, changed, doubled and cut. */
export const CONVERSATIONS: readonly Parser[] = [
  {
    name: "nbd-server",
    what: "an NBD server and nonsense from its client",
    run: (options) =>
      conversations(options, (seed) =>
        fuzzServer(seed, new NullNode("n", { driver: "null-co", size: 1 << 20, zeroes: true, readOnly: false })),
      ),
  },
  {
    name: "nbd-client",
    what: "an NBD client and nonsense from its server",
    run: (options) => conversations(options, fuzzClient),
  },
];

const text = (value: unknown): string => JSON.stringify(value);
const SESSION = [
  text({ execute: "qmp_capabilities", id: 1 }),
  text({ execute: "query-version", id: { a: [1, 2, { b: "\u00e9\n" }] } }),
  text({ execute: "blockdev-add", arguments: { driver: "qcow2", "node-name": "n", file: { driver: "file" } } }),
  text({ execute: "x", arguments: { size: 4294967296, on: true, none: null, deep: [[[[[[1]]]]]] }, id: "last" }),
].join("\r\n");

/** Turns of the microtask queue within which a monitor that has something to say says it. */
const QUIET = 32;

/** The monitor's answer to a command that is none. */
class Complaint extends Error {}

const qmp: ByteParser = {
  name: "qmp",
  what: "the monitor's JSON",
  seeds: () => [new Uint8Array(Buffer.from(SESSION)), new Uint8Array(Buffer.from(`${SESSION}${"[".repeat(600)}`))],
  async parse(bytes) {
    let front: { receive(bytes: Uint8Array): void; event(event: "opened" | "closed"): void } | undefined;
    let answers = "";
    const char = {
      attach: (f: never) => (front = f),
      write: (out: Uint8Array) => {
        answers += Buffer.from(out.buffer, out.byteOffset, out.length).toString("latin1");
        return out.length;
      },
      frontendReady: () => {},
    };
    const host = { run: async (name: string, args: unknown) => ({ name, args }), now: () => 0, version: "7.2.0" };
    void new QmpMonitor(char as never, host as never, false);
    front?.event("opened");
    for (let at = 0; at < bytes.length; at += 97) front?.receive(bytes.subarray(at, at + 97));
    // Until nothing has been said for a while.
    for (let [quiet, said] = [0, 0]; quiet < QUIET; quiet++) {
      await Promise.resolve();
      if (answers.length > said) [quiet, said] = [0, answers.length];
    }
    const said = answers.split("\r\n").filter((line) => line !== "");
    const complaint = said.filter((line) => "error" in (JSON.parse(line) as object)).at(0);
    if (complaint !== undefined) throw new Complaint(complaint);
  },
  refusal: (e) => e instanceof Complaint,
};

/** A packed stream, what unpacks it, and how many bytes come out. */
type Packed = readonly [packed: Buffer, unpack: (from: Uint8Array, size: number) => unknown, size: number];

/** Streams with every kind of block and code: short ones, and ones of text whose codes are made for it. */
function streams(): Packed[] {
  const plain = Buffer.from("the quick brown fox jumps over the lazy dog. ".repeat(30));
  const words = Buffer.from(Array.from({ length: 900 }, (_, n) => ((n * n) % 7919).toString(36)).join(" "));
  const base64 = (s: string): Buffer => Buffer.from(s, "base64");
  const zstd = (from: Buffer, level: number): Buffer =>
    zstdCompressSync(from, { params: { [constants.ZSTD_c_compressionLevel]: level } });
  return [
    [deflateRawSync(plain), portable.inflateRaw, plain.length],
    [deflateSync(plain), portable.inflate, plain.length],
    [zstd(plain, 3), portable.zstdDecompress, plain.length],
    [base64("QlpoOTFBWSZTWfJm9hEAAAREAMAAEAAACCAAMMwFU2piKDxdyRThQkPJm9hE"), bzip2Decompress, 1024],
    [base64("YnZ4bgAEAAAWAAAAaAFW8P/w//D/8LjiVlYGAAAAAAAAAGJ2eCQ="), lzfseDecompress, 1024],
    [base64("/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4AP/AAtdACxv+7/+o7De4HIAAADwQKZwXoPwhwABJ4AIAAAALnmurbHEZ/sCAAAAAARZWg=="), xzDecompress, 1024], // prettier-ignore
    [deflateRawSync(words), portable.inflateRaw, words.length],
    [zstd(words, 3), portable.zstdDecompress, words.length],
    [zstd(words, 19), portable.zstdDecompress, words.length],
  ];
}

const PACKED: readonly Packed[] = streams();

const packed: ByteParser = {
  name: "packed",
  what: "deflate, zlib, zstd, bzip2, lzfse and xz streams",
  seeds: () => PACKED.map(([buffer]) => new Uint8Array(buffer)),
  async parse(bytes, run) {
    const [, unpack, size] = PACKED[run % PACKED.length]!;
    await unpack(bytes, size);
  },
  refusal: (e) => e instanceof DecodeError,
};

/** Bytes that are parsed at once. */
export const STREAMS: readonly ByteParser[] = [qmp, packed];
