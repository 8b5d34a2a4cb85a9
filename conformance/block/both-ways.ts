/** Images made by ours judged by qemu-img, and the other way round: for each format, sub-format and option. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageCommand } from "../lib/image-command.ts";
import { mimusCommand } from "../lib/mimus.ts";

/** One way to make an image. */
interface Case {
  readonly format: string;
  /** As `-o` has them. */
  readonly options: string;
  /** `-c`. */
  readonly compressed?: boolean;
  readonly backed?: boolean;
  readonly secret?: boolean;
}

const of = (format: string, ...sets: string[]): Case[] => sets.map((options) => ({ format, options }));
const range = (key: string, values: readonly (string | number)[], more = ""): string[] =>
  values.map((v) => `${key}=${v}${more}`);

const CASES: readonly Case[] = [
  ...of("raw", "", "preallocation=falloc", "preallocation=full"),
  ...of(
    "qcow2",
    "",
    "compat=0.10",
    "compat=1.1",
    "lazy_refcounts=on",
    "data_file=DATA",
    "data_file=DATA,data_file_raw=on",
  ),
  ...of("qcow2", ...range("cluster_size", ["512", "1k", "4k", "64k", "256k", "2M"])),
  ...of("qcow2", ...range("refcount_bits", [1, 2, 4, 8, 16, 32, 64])),
  ...of("qcow2", ...range("preallocation", ["metadata", "falloc", "full"])),
  ...of("qcow2", ...range("cluster_size", ["16k", "64k", "128k", "2M"], ",extended_l2=on")),
  { format: "qcow2", options: "", compressed: true },
  { format: "qcow2", options: "compat=0.10", compressed: true },
  { format: "qcow2", options: "cluster_size=4k", compressed: true },
  { format: "qcow2", options: "compression_type=zstd", compressed: true },
  { format: "qcow2", options: "", backed: true },
  { format: "qcow2", options: "cluster_size=4k", backed: true },
  { format: "qcow2", options: "extended_l2=on", backed: true },
  { format: "qcow2", options: "encrypt.format=luks,encrypt.key-secret=s0,encrypt.iter-time=10", secret: true },
  ...of(
    "vmdk",
    ...range("subformat", ["monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat"]),
  ),
  { format: "vmdk", options: "subformat=streamOptimized" },
  ...of("vmdk", ...range("adapter_type", ["ide", "lsilogic", "buslogic", "legacyESX"])),
  ...of("vmdk", "hwversion=6", "compat6=on", "zeroed_grain=on", "toolsversion=2147483647"),
  { format: "vmdk", options: "", backed: true },
  ...of("vdi", "", "static=on"),
  ...of(
    "vpc",
    "subformat=dynamic",
    "subformat=fixed",
    "subformat=dynamic,force_size=on",
    "subformat=fixed,force_size=on",
  ),
  ...of("vhdx", "subformat=dynamic", "subformat=fixed", "block_state_zero=off", "log_size=2M"),
  ...of("vhdx", ...range("block_size", ["1M", "2M", "16M"])),
  // QEMU 7.2 opens no image with table_size=1, not even its own.
  ...of("qed", "", ...range("cluster_size", ["4k", "64k", "1M"]), "cluster_size=4k,table_size=2", "table_size=16"),
  { format: "qed", options: "", backed: true },
  ...of("qcow", ""),
  { format: "qcow", options: "", compressed: true },
  { format: "qcow", options: "", backed: true },
  ...of("parallels", "", ...range("cluster_size", ["4k", "64k", "2M"])),
  ...range("cipher-alg", ["aes-128", "aes-256", "serpent-256", "twofish-256"]).map((o): Case => ({
    format: "luks",
    options: `key-secret=s0,iter-time=10,${o}`,
    secret: true,
  })),
  { format: "luks", options: "key-secret=s0,iter-time=10,cipher-alg=cast5-128,cipher-mode=cbc", secret: true },
  {
    format: "luks",
    options: "key-secret=s0,iter-time=10,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256",
    secret: true,
  },
];

/** Bytes of the disk: a whole number of the largest cluster, and of VHD's geometry when that rounds. */
const SIZE = 8 << 20;
const SECRET = ["--object", "secret,id=s0,data=open sesame"];

interface Tool {
  readonly name: "qemu-img" | "mimus img";
  readonly command: readonly string[];
}

/** Runs every case, or those of some formats. @returns whether all were right */
export function bothWays(formats: readonly string[], print: (line: string) => void): boolean {
  const { command, args } = mimusCommand();
  const tools: readonly Tool[] = [
    { name: "mimus img", command: [command, ...args, "img"] },
    { name: "qemu-img", command: ["qemu-img"] },
  ];
  let [images, wrong, skipped] = [0, 0, 0];
  const cases = CASES.filter((c) => formats.length === 0 || formats.includes(c.format));
  if (cases.length === 0) throw new Error(`no cases of ${formats.join(", ")}`);
  for (const [maker, judge] of [tools, tools.toReversed()] as [Tool, Tool][])
    for (const c of cases) {
      images++;
      const complaints = one(maker as Tool, judge as Tool, c);
      if (complaints instanceof OracleFails) {
        skipped++;
        print(`skipped: ${c.format} ${c.options}${c.compressed ? " -c" : ""}: qemu-img makes none: ${complaints.why}`);
        continue;
      }
      if (complaints.length === 0) continue;
      wrong++;
      const title = `${c.format} ${c.options}${c.compressed ? " -c" : ""}${c.backed ? " -b" : ""}`.trim();
      print(`WRONG ${title}, made by ${maker.name}: ${complaints.join("; ")}`);
    }
  print(
    `both ways: ${images} images made by one tool and judged by the other (check, compare, map, info), ${wrong} wrong, ${skipped} skipped`,
  );
  return wrong === 0;
}

/** qemu-img cannot make the image itself. */
class OracleFails {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

function one(maker: Tool, judge: Tool, c: Case): string[] | OracleFails {
  const folder = mkdtempSync(join(tmpdir(), "mimus-both-"));
  const run = (tool: Tool, args: readonly string[]): { status: number; out: string; said: string } => {
    const [program = "", ...first] = tool.command;
    const { status, stdout, stderr } = imageCommand(program, [...first, ...args], { cwd: folder, timeout: 60_000 });
    return { status: status ?? 128, out: stdout, said: (stderr + stdout).trim().split("\n").slice(0, 2).join(" / ") };
  };
  try {
    writeFileSync(join(folder, "disk.raw"), pattern(c.backed === true));
    const suffix = c.format === "raw" ? "img" : c.format;
    const image = `disk.${suffix}`;
    if (c.backed === true) {
      writeFileSync(join(folder, "base.raw"), pattern(false));
      const base = run({ name: "qemu-img", command: ["qemu-img"] }, [
        "convert",
        "-O",
        baseFormat(c),
        "base.raw",
        "base.img",
      ]);
      if (base.status !== 0) return [base.said];
    }
    const options = c.options.replace("DATA", "data.raw");
    const made = run(maker, [
      "convert",
      ...(c.secret === true ? SECRET : []),
      ...(c.compressed === true ? ["-c"] : []),
      ...(c.backed === true ? ["-B", "base.img", "-F", baseFormat(c)] : []),
      "-f",
      "raw",
      "-O",
      c.format,
      ...(options === "" ? [] : ["-o", options]),
      "disk.raw",
      image,
    ]);
    if (made.status !== 0 && maker.name === "qemu-img") return new OracleFails(`status ${made.status}: ${made.said}`);
    if (made.status !== 0) return [`convert: status ${made.status}: ${made.said}`];
    return judged(maker, judge, c, image, run);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const baseFormat = (c: Case): string => (c.format === "vmdk" ? "vmdk" : "qcow2");

type Run = (tool: Tool, args: readonly string[]) => { status: number; out: string; said: string };

function judged(maker: Tool, judge: Tool, c: Case, image: string, run: Run): string[] {
  const complaints: string[] = [];
  const secret = c.secret === true ? SECRET : [];
  const source = c.secret === true ? ["--image-opts", secretImage(c, image)] : ["-f", c.format, image];
  const check = run(judge, ["check", ...secret, ...source]);
  // 63: the format has no check.
  if (check.status !== 0 && check.status !== 63)
    complaints.push(`check by ${judge.name}: status ${check.status}: ${check.said}`);
  const compare =
    c.secret === true
      ? run(judge, ["compare", ...SECRET, "--image-opts", "driver=raw,file.filename=disk.raw", secretImage(c, image)])
      : run(judge, ["compare", "-f", "raw", "-F", c.format, "disk.raw", image]);
  if (compare.status !== 0) complaints.push(`compare by ${judge.name}: status ${compare.status}: ${compare.said}`);
  const maps = [maker, judge].map((tool) => run(tool, ["map", "--output=json", ...secret, ...source]));
  const [first, second] = maps.map((m) =>
    m.status === 0 ? JSON.stringify(extents(m.out)) : `status ${m.status}: ${m.said}`,
  );
  if (first !== second) complaints.push(`maps differ: ${maker.name} ${short(first)}, ${judge.name} ${short(second)}`);
  if (c.secret !== true) {
    const infos = [maker, judge].map((tool) => run(tool, ["info", "--output=json", ...source]));
    const [a, b] = infos.map((i) => (i.status === 0 && i.out !== "" ? facts(i.out) : `status ${i.status}: ${i.said}`));
    if (a !== b) complaints.push(`infos differ: ${maker.name} ${short(a)}, ${judge.name} ${short(b)}`);
  }
  return complaints;
}

function secretImage(c: Case, image: string): string {
  if (c.format === "luks") return `driver=luks,key-secret=s0,file.filename=${image}`;
  return `driver=qcow2,encrypt.format=luks,encrypt.key-secret=s0,file.filename=${image}`;
}

const short = (text: string | undefined): string =>
  text !== undefined && text.length > 300 ? `${text.slice(0, 300)}...` : (text ?? "");

interface Extent {
  readonly start: number;
  readonly length: number;
  readonly depth: number;
  readonly present?: boolean;
  readonly zero: boolean;
  readonly data: boolean;
}

/** Ranges with what is said of them; neighbours of one kind are one. */
function extents(json: string): (string | number)[][] {
  const out: { end: number; row: (string | number)[] }[] = [];
  for (const e of JSON.parse(json) as Extent[]) {
    const kind = `${e.depth}${e.zero ? " zero" : ""}${e.data ? " data" : ""}${e.present === false ? " absent" : ""}`;
    const last = out.at(-1);
    if (last?.row[2] === kind && last.end === e.start) {
      last.row[1] = Number(last.row[1]) + e.length;
      last.end += e.length;
    } else out.push({ end: e.start + e.length, row: [e.start, e.length, kind] });
  }
  return out.map((o) => o.row);
}

/** What both have to say alike of an image, with keys in order. */
function facts(json: string): string {
  const info = JSON.parse(json) as Record<string, unknown>;
  for (const key of ["actual-size", "filename", "full-backing-filename", "children"]) delete info[key];
  return JSON.stringify(info, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** Data, zeroes and holes of many lengths; `changed`: the same with some other data. */
function pattern(changed: boolean): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  let x = 12345;
  for (let at = 0; at < SIZE;) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    const length = Math.min(SIZE - at, ((x >>> 20) % 700) * 512 + 512);
    const kind = (x >>> 8) % 3;
    if (kind > 0)
      for (let i = at; i < at + length; i++) {
        x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
        bytes[i] = kind === 1 ? x >>> 24 : 65 + ((x >>> 28) & 7);
      }
    at += length;
  }
  if (changed) for (let at = 1 << 20; at < SIZE; at += 3 << 20) bytes.fill(0x77, at, at + 200_000);
  return bytes;
}
