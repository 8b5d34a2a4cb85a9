import { forwardSignals, holdSignals, nodeUserHost } from "@mimus/host-node/user";
import { LinuxUserError, runProgram, signalName, type ExitStatus } from "@mimus/linux-user";
import { jitText, type TcgOptions } from "@mimus/tcg";

import { keyValues } from "../args/keyval.ts";
import { readBranchHints } from "../branch-hints.ts";
import { UsageError } from "../errors.ts";
import { LOG_ITEMS, logging, type Logging } from "../logging.ts";
import { tcgOptions } from "../tcg-options.ts";
import { VERSION } from "../version.ts";
import { leave } from "./leave.ts";
import { parseUserOptions, programEnvironment, userHelp, type UserOptions } from "./options.ts";
import { findUserTarget } from "./target.ts";

type MakeTarget = NonNullable<Awaited<ReturnType<typeof findUserTarget>>>;

/** Exit status of a mistake on the command line. */
const USAGE = 1;

/** `mimus ARCH program ...`. @returns false when no package runs programs of that name; else the process ends here */
export async function userCommand(name: string, argv: readonly string[]): Promise<boolean> {
  try {
    const make = await findUserTarget(name);
    if (make === undefined) return false;
    process.exitCode = await run(name, make, argv);
  } catch (error) {
    process.exitCode = report(name, error);
  }
  process.exit();
}

/** One line for what a user can mend; a stack trace for what must not happen. */
function report(name: string, error: unknown): number {
  const command = `mimus ${name}`;
  if (error instanceof LinuxUserError) {
    process.stderr.write(`${command}: ${error.message}\n`);
    return error.status;
  }
  // As isUserError, without the package: that would load schemas, half of a cold start.
  if (error instanceof Error && "forUser" in error) {
    process.stderr.write(`${command}: ${error.message}\n`);
    return USAGE;
  }
  process.stderr.write(`${command}: internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
  return USAGE;
}

async function run(name: string, make: MakeTarget, argv: readonly string[]): Promise<number> {
  const options = parseUserOptions(argv);
  if (options.help) return print(userHelp(`mimus ${name}`));
  if (options.version) return print(`mimus-${name} version ${VERSION}\n`);
  if (options.cpu === "help" || options.cpu === "?") return print(cpuHelp(make));
  if (options.log === "help" || options.log === "?") return print(logHelp());
  const [program] = options.program;
  if (program === undefined) throw new UsageError(`no program given\n${userHelp(`mimus ${name}`)}`.trimEnd());
  const target = make(options.cpu);
  const log = logging(options.log, options.logFile, options.filter);
  try {
    return await execute(options, program, target, log);
  } finally {
    await log.close();
  }
}

async function execute(
  options: UserOptions,
  program: string,
  target: ReturnType<MakeTarget>,
  log: Logging,
): Promise<number> {
  const host = nodeUserHost({
    machine: target.abi.machine,
    ...(options.sysroot === undefined ? {} : { sysroot: options.sysroot }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  });
  readBranchHints();
  const release = holdSignals();
  const running = runProgram({
    target,
    host,
    program,
    argv: [options.argv0 ?? program, ...options.program.slice(1)],
    env: programEnvironment(process.env, options.env),
    ...(options.stack === undefined ? {} : { stackSize: options.stack }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.memory === undefined ? {} : { addressSpace: options.memory }),
    tcg: { ...accelerator(options.accel), ...(log.trace === undefined ? {} : { trace: log.trace }), ...timing(log) },
    log: {
      ...(options.strace || log.items.has("strace") ? { strace: log.line } : {}),
      ...(log.items.has("unimp") ? { unimp: log.line } : {}),
    },
  });
  if (log.items.has("page")) log.line(maps(running.process.memory.areas()));
  const stop = forwardSignals(running.process);
  release();
  const status = await running.exit;
  stop();
  if (log.items.has("stats")) log.line(jitText(running.process.engine));
  const code = exitStatus(status, program);
  await log.close();
  return leave(code, running.process.waited);
}

/** Compile times are measured only when somebody asks. */
const timing = (log: Logging): TcgOptions => (log.items.has("stats") ? { now: () => performance.now() } : {});

function exitStatus(end: ExitStatus, program: string): number {
  if (end.kind === "exited") return end.status;
  if (end.core) {
    const address = BigInt.asUintN(64, BigInt(end.info.addr));
    const at = address === 0n ? "" : `, address 0x${address.toString(16)}`;
    process.stderr.write(`mimus: ${program}: ended by ${signalName(end.signal)}${at}\n`);
  }
  return 128 + end.signal;
}

/** `-accel tcg,...`. */
function accelerator(text: string = "tcg"): TcgOptions {
  const { accel, ...values } = keyValues("accel", text, "accel");
  if (accel !== "tcg") throw new UsageError(`-accel ${String(accel)}: programs run on tcg only`);
  return tcgOptions(values);
}

const cpuHelp = (make: MakeTarget): string =>
  `Available CPUs:\n${make()
    .cpus.map((cpu) => `  ${cpu.name.padEnd(14)} ${cpu.summary}\n`)
    .join("")}`;

const logHelp = (): string =>
  `Log items (comma separated):\n${Object.entries(LOG_ITEMS)
    .map(([item, text]) => `${item.padEnd(14)} ${text}\n`)
    .join("")}`;

/** As in /proc/self/maps. */
function maps(
  areas: readonly { start: number; end: number; prot: number; name: string; file: { path: string } | undefined }[],
): string {
  return areas
    .map(({ start, end, prot, name, file }) => {
      const bits = ["r", "w", "x"].map((letter, n) => (prot & (1 << n) ? letter : "-")).join("");
      return `${start.toString(16).padStart(8, "0")}-${end.toString(16).padStart(8, "0")} ${bits} ${file?.path ?? name}`;
    })
    .join("\n");
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
