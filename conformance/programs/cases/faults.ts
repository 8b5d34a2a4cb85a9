import type { ProgramCase } from "../case.ts";
import { type ElfOptions, program } from "../elf.ts";

const EXIT = "li a7, 93\necall\n";

/** Small programs that end by a signal, a status or an error of the kernel. Numbers: asm-generic/unistd.h. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "exits 42": `li a0, 42\n${EXIT}`,
  "exits with more than 8 bits": `li a0, 0x12345\n${EXIT}`,
  exit_group: "li a0, 7\nli a7, 94\necall\n",
  "reads address 0": "li a0, 0\nld a0, 0(a0)\n",
  "reads far above": "li a0, -16\nld a0, 0(a0)\n",
  "writes its stack's guard": "li t0, 0x2000000\nloop: sd zero, 0(sp)\nsub sp, sp, t0\nj loop\n",
  "writes below a kernel address": "li a0, 1 << 62\nsd a0, 0(a0)\n",
  "jumps to 0": "li a0, 0\njr a0\n",
  "jumps to an odd place": "la a0, data\njr a0\n.align 3\ndata: .dword 0\n",
  "jumps into its stack": `li t0, ${0x05d00893}\nsw t0, 0(sp)\njr sp\n`,
  "an illegal instruction": ".word 0xffffffff\n",
  "a breakpoint": "ebreak\n",
  "a privileged instruction": ".word 0x30200073\n",
  "a supervisor register": "csrr a0, 0x100\n",
  "an unknown system call": `li a7, 999\nli a0, 1\necall\nneg a0, a0\n${EXIT}`,
  "a huge system call number": `li a7, -1\necall\nneg a0, a0\n${EXIT}`,
  "writes to no descriptor": `li a0, 99\nla a1, _start\nli a2, 4\nli a7, 64\necall\nneg a0, a0\n${EXIT}_start:\n`,
  "writes from an unmapped buffer": `li a0, 1\nli a1, 16\nli a2, 4\nli a7, 64\necall\nneg a0, a0\n${EXIT}`,
  "opens a bad pointer": `li a0, -100\nli a1, 16\nli a7, 56\necall\nneg a0, a0\n${EXIT}`,
  "maps an odd address": `li a0, 0x123\nli a1, 4096\nli a2, 3\nli a3, 0x32\nli a4, -1\nli a7, 222\necall\nneg a0, a0\n${EXIT}`,
  "maps no bytes": `li a0, 0\nli a1, 0\nli a2, 3\nli a3, 0x22\nli a4, -1\nli a7, 222\necall\nneg a0, a0\n${EXIT}`,
  "unmaps its code": `li a0, 0x10000\nli a1, 0x10000\nli a7, 215\necall\n${EXIT}`,
  "makes its code unreadable": `li a0, 0x10000\nli a1, 0x2000\nli a2, 0\nli a7, 226\necall\n${EXIT}`,
  "runs what it wrote": `la a0, code\nli t0, 0x00700513\nsw t0, 0(a0)\nfence.i\njr a0\ncode: .word 0\n${EXIT}`,
  "runs a page without permission": `li a0, 0\nli a1, 4096\nli a2, 3\nli a3, 0x22\nli a4, -1\nli a7, 222\necall\nli t0, 0x8082\nsw t0, 0(a0)\njr a0\n`,
  "a store to a read-only page": `li a0, 0\nli a1, 4096\nli a2, 1\nli a3, 0x22\nli a4, -1\nli a7, 222\necall\nlw t0, 0(a0)\nsw t0, 0(a0)\n`,
  "the end of a mapped file": `li a0, -100\nla a1, name\nli a2, 0\nli a7, 56\necall\nmv a4, a0\nli a0, 0\nli a1, 0x3000\nli a2, 1\nli a3, 2\nli a5, 0\nli a7, 222\necall\nlbu t0, 5(a0)\nli t1, 0x1000\nadd a0, a0, t1\nlbu t0, 0(a0)\nname: .asciz "words.txt"\n`,
  "an atomic access that is not aligned": `addi a0, sp, 1\namoadd.w a1, a2, (a0)\nli a0, 3\n${EXIT}`,
  "a load that is not aligned": `la a0, data\nld a1, 1(a0)\nlw a2, 3(a0)\nadd a0, a1, a2\nandi a0, a0, 127\n${EXIT}.align 3\ndata: .dword 0x1122334455667788, 0x99aabbccddeeff00\n`,
  "divides by zero": `li a0, 5\ndiv a0, a0, zero\nandi a0, a0, 255\n${EXIT}`,
  brk: `li a0, 0\nli a7, 214\necall\nmv s0, a0\nli t0, 0x5000\nadd a0, a0, t0\necall\nsub a0, a0, s0\nsrli a0, a0, 12\nsw a0, 64(s0)\nlw a0, 64(s0)\n${EXIT}`,
  "maps until nothing is left": `li s0, 0\nloop: li a0, 0\nli a1, 1 << 28\nli a2, 3\nli a3, 0x4022\nli a4, -1\nli a5, 0\nli a7, 222\necall\naddi s0, s0, 1\nli t0, 64\nbeq s0, t0, end\nbgez a0, loop\nend: li a0, 0\n${EXIT}`,
  "exec of nothing": `la a0, name\nla a1, args\nli a2, 0\nli a7, 221\necall\nneg a0, a0\n${EXIT}name: .asciz "/nonexistent"\n.align 3\nargs: .dword 0\n`,
};

const SIGNALS: readonly (readonly [name: string, number: number])[] = [
  ["HUP", 1], ["INT", 2], ["QUIT", 3], ["ILL", 4], ["TRAP", 5], ["ABRT", 6], ["BUS", 7], ["FPE", 8], ["KILL", 9], ["USR1", 10],
  ["SEGV", 11], ["USR2", 12], ["PIPE", 13], ["ALRM", 14], ["TERM", 15], ["CHLD", 17], ["CONT", 18], ["URG", 23], ["XCPU", 24],
  ["XFSZ", 25], ["VTALRM", 26], ["PROF", 27], ["WINCH", 28], ["IO", 29], ["SYS", 31], ["RTMIN+2", 36], ["RTMAX", 64],
]; // prettier-ignore

const signal = (number: number): string => `li a7, 172\necall\nli a1, ${number}\nli a7, 129\necall\nli a0, 0\n${EXIT}`;

const QUICK = [
  "exits 42",
  "reads address 0",
  "an illegal instruction",
  "an unknown system call",
  "kills itself with ABRT",
];

const FAULTS = {
  ...PROGRAMS,
  ...Object.fromEntries(SIGNALS.map(([name, n]) => [`kills itself with ${name}`, signal(n)])),
};

const faults: ProgramCase[] = Object.entries(FAULTS).map(([name, source]) => ({
  name: `fault: ${name}`,
  argv: ["./p.elf"],
  files: { "p.elf": program(source) },
  quick: QUICK.includes(name),
  // QEMU has no number for the guest's last real-time signals on the host, and drops them.
  ...(name.includes("RTM")
    ? { instead: { status: 128 + Number(SIGNALS.find(([s]) => name.endsWith(s))?.[1]), stderr: /^/ } }
    : {}),
}));

/** Programs that Linux does not start, and what a shell reports then; QEMU's own statuses differ. */
function refused(
  name: string,
  content: Uint8Array | string,
  status: number,
  stderr: RegExp,
  file = "p.elf",
): ProgramCase {
  return { name: `refused: ${name}`, argv: [`./${file}`], files: { [file]: content }, instead: { status, stderr } };
}

const nothing = `li a0, 0\n${EXIT}`;
const elf = (options: ElfOptions): Uint8Array => program(nothing, options);
const interpreter = new TextEncoder().encode("/nonexistent/ld.so\0");
const withInterpreter = (text: Uint8Array, offset = 0x800n): Uint8Array => {
  const bytes = elf({ segments: [{ type: 3, offset, fileSize: BigInt(text.length) }, {}] });
  if (Number(offset) + text.length <= bytes.length) bytes.set(text, Number(offset));
  return bytes;
};

const REFUSED: ProgramCase[] = [
  refused("x86-64", elf({ machine: 62 }), 126, /p\.elf.*(machine|x86|RISC-V)/i),
  refused("32-bit RISC-V", elf({ elfClass: 1 }), 126, /p\.elf/),
  refused("big-endian", elf({ data: 2 }), 126, /p\.elf/),
  refused("a relocatable file", elf({ type: 1 }), 126, /p\.elf/),
  refused("an empty file", "", 126, /p\.elf/),
  refused("text", "hello\n", 126, /p\.elf/),
  refused("half an ELF header", elf({}).subarray(0, 40), 126, /p\.elf.*(truncated|short|cut off)/i),
  refused("program headers past the end", elf({ headerAt: 1n << 40n }), 126, /p\.elf/),
  refused("program headers that wrap", elf({ headerAt: -8n }), 126, /p\.elf/),
  refused("too many program headers", elf({ headerCount: 0xffff }), 126, /p\.elf/),
  refused("program headers of another size", elf({ headerSize: 40 }), 126, /p\.elf/),
  refused("no program headers", elf({ headerCount: 0 }), 126, /p\.elf/),
  refused("a missing interpreter", withInterpreter(interpreter), 127, /\/nonexistent\/ld\.so/),
  refused("an interpreter name without an end", withInterpreter(new TextEncoder().encode("/lib/ld.so")), 126, /p\.elf/),
  refused("an interpreter name past the end", withInterpreter(interpreter, 1n << 40n), 126, /p\.elf/),
  refused("a file without execute permission", elf({}), 126, /plain.*[Pp]ermission/, "plain"),
  {
    name: "refused: a directory",
    argv: ["./dir"],
    instead: { status: 126, stderr: /dir.*(directory|[Pp]ermission)/ },
    quick: true,
  },
  {
    name: "refused: a missing program",
    argv: ["./missing"],
    instead: { status: 127, stderr: /missing.*No such file/ },
    quick: true,
  },
  { name: "refused: an empty name", argv: [""], instead: { status: 127, stderr: /./ } },
];

/** Segments that Linux maps or not; a program that it cannot map is killed (139) or refused. */
const HOSTILE: Readonly<Record<string, ElfOptions>> = {
  "a segment of 2^62 bytes": { segments: [{ memorySize: 1n << 62n }] },
  "a segment past the address space": { segments: [{ address: -0x10000n }] },
  "a segment that wraps": { segments: [{ address: -0x1000n, memorySize: 0x10000n }] },
  "more file than memory": { segments: [{ memorySize: 0x10n }] },
  // Linux maps it, and the first touch is a SIGBUS; a file that was cut off deserves a message.
  "a segment whose file part is missing": { segments: [{ fileSize: 1n << 30n }] },
  // Linux wants a privilege for it (mmap_min_addr).
  "a segment at 0": { segments: [{ address: 0n, flags: 5 }], entry: 0x1000n, origin: 0n },
  "an offset that does not fit the address": { segments: [{ address: 0x10010n }] },
};

const hostile = Object.entries(HOSTILE).map(([name, options]): ProgramCase => ({
  ...refused(name, elf(options), 126, /p\.elf/),
  name: `hostile: ${name}`,
}));

/** Segments that are odd but fine. */
const ODD: Readonly<Record<string, ElfOptions>> = {
  "overlapping segments": { segments: [{}, { address: 0x10000n, memorySize: 0x4000n }] },
  "an empty segment": { segments: [{}, { fileSize: 0n, memorySize: 0n, address: 0x30000n }] },
  "only zeros": { segments: [{}, { fileSize: 0n, memorySize: 0x3210n, address: 0x30000n, flags: 6 }] },
  "an entry outside of every segment": { entry: 0x999000n },
  "an odd entry": { entry: 0x11001n },
  "code that may not run": { segments: [{ flags: 6 }] },
  "code that may not be read": { segments: [{ flags: 1 }] },
  "position independent": { type: 3, origin: 0n },
  "an alignment of 2^40": { segments: [{ align: 1n << 40n }] },
  "an alignment of 3": { segments: [{ align: 3n }] },
};

const odd = Object.entries(ODD).map(([name, options]): ProgramCase => ({
  name: `odd: ${name}`,
  argv: ["./p.elf"],
  files: { "p.elf": elf(options) },
}));

export const bad: readonly ProgramCase[] = [...faults, ...REFUSED, ...hostile, ...odd];
