import { hostError } from "@mimus/block";
import { Seeded } from "../random.ts";
import { DiskModel } from "./model.ts";
import { describeFailure, isRefusal } from "./refusal.ts";
import type { FormatRig } from "./rig.ts";

/** What failing every call in turn showed. */
export interface FaultCounts {
  /** Calls of the host that were made to fail, one in each run. */
  readonly failures: number;
}

const REQUESTS = 24;

/**
 * Makes call 1, 2, 3, ... of the host fail, a run for each, until a run passes without a failure. Every failure must come
 * out as a BlockError; afterwards the image opens again, has no corruption, and holds what was acknowledged.
 * `codes`: POSIX codes to fail with, in turn.
 */
export async function runFaults(
  make: () => FormatRig,
  run: { seed: number; most: number; codes?: readonly string[] },
): Promise<FaultCounts> {
  const codes = run.codes ?? ["EIO", "ENOSPC"];
  for (let at = 0; at < run.most; at++) {
    const rig = make();
    await rig.create();
    const code = codes[at % codes.length] ?? "EIO";
    const where = `seed ${run.seed}, ${code} at call ${at}`;
    let calls = 0;
    let failed = false;
    rig.files.fail = (op) => {
      if (op === "open" || calls++ !== at) return;
      failed = true;
      throw hostError(code);
    };
    const model = new DiskModel(rig.options.size, rig.options.noise);
    try {
      await requests(rig, model, run.seed, where);
    } finally {
      rig.files.fail = undefined;
    }
    if (!failed) return { failures: at };
    await verify(rig, model, where);
  }
  return { failures: run.most };
}

/** Requests until one fails; what failed is unknown afterwards. */
async function requests(rig: FormatRig, model: DiskModel, seed: number, where: string): Promise<void> {
  const random = new Seeded(seed);
  try {
    const node = await rig.open();
    model.resize(node.size);
    for (let n = 0; n < REQUESTS; n++) {
      const at = random.below(node.size);
      const length = Math.min(1 + random.below(40_000), node.size - at);
      const from = random.bytes(length);
      const zero = random.below(4) === 0;
      try {
        if (zero) await node.writeZeroes?.(at, length, true);
        else await node.write(at, from);
        if (zero) model.zero(at, length);
        else model.write(at, from);
        if (random.below(5) === 0) await node.flush();
      } catch (e) {
        expectBlockError(e, where);
        model.discard(at, length);
      }
    }
    await rig.close();
  } catch (e) {
    expectBlockError(e, where);
    await rig.close().catch((again: unknown) => expectBlockError(again, where));
  }
}

async function verify(rig: FormatRig, model: DiskModel, where: string): Promise<void> {
  try {
    const node = await rig.open();
    const report = await node.image?.check?.("none");
    if (report && report.corruptions > 0)
      throw new Error(`${report.corruptions} corruptions: ${report.messages[0] ?? ""}`);
    const got = new Uint8Array(node.size);
    await node.read(0, got);
    const wrong = model.size === node.size ? model.difference(0, got) : undefined;
    if (wrong !== undefined) throw new Error(wrong);
    await rig.close();
  } catch (e) {
    throw new Error(`${where}: ${e instanceof Error ? e.message : String(e)}`, { cause: e });
  }
}

function expectBlockError(e: unknown, where: string): void {
  if (!isRefusal(e)) throw new Error(`${where}: ${describeFailure(e)}`, { cause: e });
}
