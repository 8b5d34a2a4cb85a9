/** Image tools against qemu-img and qemu-nbd: the same work on the same files, in turn. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { median } from "./stats.ts";
import { atLeast, atMost, figure, type Row } from "./table.ts";
import { BenchError, need, oursCommand, output, progress } from "./tools.ts";

const MIB = 1 << 20;
/** Most resident memory that any image command may take, bytes. */
const MOST_MEMORY = 300 * MIB;
const MINUTES = 10 * 60_000;

interface Job {
  readonly what: string;
  /** Arguments after `qemu-img` and `mimus img`; `out` is a file that is not there. */
  readonly args: (folder: string, out: string) => readonly string[];
  /** Ours may take this many times qemu-img's time. */
  readonly bar: number;
}

const raw = (folder: string): string => join(folder, "half.raw");
const text = (folder: string): string => join(folder, "text.raw");
const fragmented = (folder: string): string => join(folder, "fragmented.qcow2");
const full = (folder: string): string => join(folder, "full.qcow2");

const CONVERSIONS: readonly Job[] = [
  {
    what: "convert raw to qcow2, 1 GiB, half empty",
    args: (folder, out) => ["convert", "-f", "raw", "-O", "qcow2", raw(folder), out],
    bar: 1.5,
  },
  {
    what: "convert qcow2 to raw, 1 GiB, half empty",
    args: (folder, out) => ["convert", "-f", "qcow2", "-O", "raw", `${raw(folder)}.qcow2`, out],
    bar: 1.5,
  },
];
const COMPRESSED: Job = {
  what: "convert raw to compressed qcow2, 256 MiB, two threads",
  args: (folder, out) => ["convert", "-c", "-m", "2", "-f", "raw", "-O", "qcow2", text(folder), out],
  bar: 1.3,
};
const TABLES: readonly Job[] = [
  {
    what: "check of a fragmented 64 GiB image",
    args: (folder) => ["check", "-q", "-f", "qcow2", fragmented(folder)],
    bar: 2,
  },
  {
    what: "check of a full 64 GiB image, a million clusters in no order",
    args: (folder) => ["check", "-q", "-f", "qcow2", full(folder)],
    bar: 2,
  },
  {
    what: "map of a fragmented 64 GiB image",
    args: (folder) => ["map", "-f", "qcow2", "--output=json", fragmented(folder)],
    bar: 2,
  },
];

/** Does `act` in a folder of its own. */
async function inFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "mimus-images-"));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Wall seconds of a command, and the most memory it had. */
async function measured(command: readonly string[]): Promise<{ seconds: number; memory: number }> {
  const [program = "", ...args] = command;
  const start = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => (said = (said + bytes.toString()).slice(-500)));
  let memory = 0;
  const watch = setInterval(() => (memory = Math.max(memory, highWater(child))), 20);
  const status = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(signal === null ? (code ?? 1) : 128));
  }).finally(() => clearInterval(watch));
  if (status !== 0) throw new BenchError("failed", `${command.join(" ")}: status ${status}: ${said.trim()}`);
  return { seconds: (performance.now() - start) / 1000, memory };
}

function highWater({ pid }: ChildProcess): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Times a job with both; the outputs of conversions are compared. */
async function inTurn(folder: string, job: Job, rounds: number, memories: number[]): Promise<Row> {
  const seconds = { qemu: [] as number[], ours: [] as number[] };
  for (let round = 0; round < rounds; round++)
    for (const name of ["qemu", "ours"] as const) {
      const out = join(folder, `${name}.out`);
      await rm(out, { force: true });
      const tool = name === "qemu" ? [need("qemu-img")] : [...oursCommand(), "img"];
      const run = await measured([...tool, ...job.args(folder, out)]);
      seconds[name].push(run.seconds);
      if (name === "ours") memories.push(run.memory);
      progress(`round ${round + 1} ${name}: ${job.what} ${figure(run.seconds)} s, ${figure(run.memory / MIB)} MiB`);
    }
  const made = await stat(join(folder, "ours.out")).catch(() => undefined);
  if (made !== undefined)
    await output(["qemu-img", "compare", join(folder, "qemu.out"), join(folder, "ours.out")], MINUTES);
  const [ours, qemu] = [median(seconds.ours), median(seconds.qemu)];
  const bar = atMost(`at most ${job.bar} times qemu-img's`, ours, job.bar * qemu);
  return { what: job.what, unit: "s", ours, qemu, better: "less", bar };
}

function memoryRow(what: string, memories: readonly number[]): Row {
  const most = Math.max(...memories);
  const bar = atMost("under 300 MiB", most, MOST_MEMORY);
  return { what: `most memory: ${what}`, unit: "MiB", ours: most / MIB, better: "less", bar };
}

/** A file of `mebibytes` in which every other MiB is `fill`. */
async function halfEmpty(path: string, mebibytes: number, fill: (bytes: Uint8Array, n: number) => void): Promise<void> {
  const file = await open(path, "w");
  const bytes = new Uint8Array(MIB);
  try {
    await file.truncate(mebibytes * MIB);
    for (let n = 0; n < mebibytes; n += 2) {
      fill(bytes, n);
      await file.write(bytes, 0, MIB, n * MIB);
    }
  } finally {
    await file.close();
  }
}

/** Bytes that do not compress. */
function noise(bytes: Uint8Array, n: number): void {
  const words = new Uint32Array(bytes.buffer);
  let x = (n + 1) * 0x9e3779b1;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
}

/** Bytes that compress about as text does. */
function prose(bytes: Uint8Array, n: number): void {
  noise(bytes, n);
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i] ?? 0;
    bytes[i] = b < 160 ? (bytes[i - 48] ?? 32) : 97 + (b & 15);
  }
}

/** Conversions, plain and compressed. */
export async function convertImages(rounds: number): Promise<Row[]> {
  return inFolder(async (folder) => {
    progress("making images");
    await halfEmpty(raw(folder), 1024, noise);
    await halfEmpty(text(folder), 256, prose);
    await output(
      [need("qemu-img"), "convert", "-f", "raw", "-O", "qcow2", raw(folder), `${raw(folder)}.qcow2`],
      MINUTES,
    );
    const memories: number[] = [];
    const rows: Row[] = [];
    for (const job of [...CONVERSIONS, COMPRESSED]) rows.push(await inTurn(folder, job, rounds, memories));
    return [...rows, memoryRow("conversions", memories)];
  });
}

/** check and map of an image whose clusters lie in no order. */
export async function imageTables(rounds: number): Promise<Row[]> {
  return inFolder(async (folder) => {
    progress("making a fragmented image");
    await output([need("qemu-img"), "create", "-q", "-f", "qcow2", fragmented(folder), "64G"], MINUTES);
    await scatter(fragmented(folder), 30_000);
    const whole = ["-o", "preallocation=metadata", full(folder), "64G"];
    await output(["qemu-img", "create", "-q", "-f", "qcow2", ...whole], MINUTES);
    await shuffleTables(full(folder));
    const memories: number[] = [];
    const rows: Row[] = [];
    for (const job of TABLES) rows.push(await inTurn(folder, job, rounds, memories));
    return [...rows, memoryRow("check and map", memories)];
  });
}

/** Numbers from 0 up to 1 that follow no order, the same ones each time. */
function* anyNumbers(): Generator<number, never> {
  for (let x = 1; ;) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    yield x / 2 ** 32;
  }
}

/** Writes 4 KiB in `count` places of 64 GiB, in no order. */
async function scatter(path: string, count: number): Promise<void> {
  const io = spawn(need("qemu-io"), ["-f", "qcow2", "-t", "unsafe", path], { stdio: ["pipe", "ignore", "inherit"] });
  const numbers = anyNumbers();
  const lines = Array.from({ length: count }, () => `write ${Math.floor(numbers.next().value * 2 ** 20) * 65536} 4k`);
  io.stdin.end(`${lines.join("\n")}\nquit\n`);
  const status = await new Promise((resolve) => io.on("exit", resolve));
  if (status !== 0) throw new BenchError("failed", `qemu-io ended with status ${String(status)}`);
}

/** Changes the order of the clusters of each L2 table. Source: QEMU 7.2, docs/interop/qcow2.txt, header and cluster mapping. */
async function shuffleTables(path: string): Promise<void> {
  const file = await open(path, "r+");
  const numbers = anyNumbers();
  const read = async (at: number, length: number): Promise<DataView> => {
    const bytes = new Uint8Array(length);
    await file.read(bytes, 0, length, at);
    return new DataView(bytes.buffer);
  };
  const placeIn = (table: DataView, at: number): number => Number(table.getBigUint64(at) & 0x00ff_ffff_ffff_fe00n);
  try {
    const header = await read(0, 72);
    const tables = await read(placeIn(header, 40), header.getUint32(36) * 8);
    for (let entry = 0; entry < tables.byteLength; entry += 8) {
      const at = placeIn(tables, entry);
      const table = new BigUint64Array((await read(at, 2 ** header.getUint32(20))).buffer);
      for (let i = table.length - 1; i > 0; i--) {
        const other = Math.floor(numbers.next().value * (i + 1));
        [table[i], table[other]] = [table[other] ?? 0n, table[i] ?? 0n];
      }
      await file.write(table, 0, table.byteLength, at);
    }
  } finally {
    await file.close();
  }
}

/** Reads of 4 KiB, 32 in flight, from a qcow2 image behind a server. */
export async function imageReads(rounds: number): Promise<Row[]> {
  return inFolder(async (folder) => {
    const reader = join(folder, "nbd-random");
    const source = join(import.meta.dirname, "guests/nbd-random.c");
    await output([need("gcc"), "-O2", "-o", reader, source, "-lnbd"], MINUTES).catch((cause: unknown) => {
      throw new BenchError("missing", "guests/nbd-random.c needs Debian's package libnbd-dev", { cause });
    });
    await halfEmpty(raw(folder), 1024, noise);
    const image = `${raw(folder)}.qcow2`;
    await output([need("qemu-img"), "convert", "-f", "raw", "-O", "qcow2", raw(folder), image], MINUTES);
    const rates = {
      random: { qemu: [] as number[], ours: [] as number[] },
      copy: { qemu: [] as number[], ours: [] as number[] },
    };
    for (let round = 0; round < rounds; round++)
      for (const name of ["qemu", "ours"] as const) {
        const command = name === "qemu" ? [need("qemu-nbd")] : [...oursCommand(), "nbd"];
        const server = await serve(command, image, join(folder, `${name}.sock`));
        try {
          const random = Number(await output([reader, server.uri, "4096", "32", "200000"], MINUTES));
          const start = performance.now();
          await output(
            [need("nbdcopy"), "--request-size=4096", "--requests=32", "--connections=1", server.uri, "null:"],
            MINUTES,
          );
          const copy = 1024 / ((performance.now() - start) / 1000);
          rates.random[name].push(random);
          rates.copy[name].push(copy);
          progress(
            `round ${round + 1} ${name}: ${figure(random)} random reads a second, ${figure(copy)} MiB/s in order`,
          );
        } finally {
          await server.stop();
        }
      }
    const row = (what: string, unit: string, of: { qemu: number[]; ours: number[] }): Row => {
      const [ours, qemu] = [median(of.ours), median(of.qemu)];
      return {
        what,
        unit,
        ours,
        qemu,
        better: "more",
        bar: atLeast("at least half of qemu-nbd's", ours, qemu / 2),
      };
    };
    return [
      row("random reads of 4 KiB over NBD, 32 in flight", "a second", rates.random),
      row("nbdcopy, requests of 4 KiB, 32 in flight", "MiB/s", rates.copy),
    ];
  });
}

/** Starts a server of one image on a socket. */
async function serve(
  command: readonly string[],
  image: string,
  socket: string,
): Promise<{ uri: string; stop(): Promise<void> }> {
  const [program = "", ...first] = command;
  const child = spawn(program, [...first, "-t", "-r", "-f", "qcow2", "-k", socket, image], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const deadline = performance.now() + 20_000;
  while (
    !(await stat(socket).then(
      () => true,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new BenchError("failed", `${command.join(" ")} does not serve`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    uri: `nbd+unix:///?socket=${socket}`,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      await rm(socket, { force: true });
    },
  };
}
