/** A hart's state for snapshots, derived from the table of its fields. */
import type { Stateful } from "@mimus/machine-core";
import { z } from "zod";
import { DELEGABLE_EXCEPTIONS, M_INTERRUPTS, PRIV, S_INTERRUPTS } from "./constants.ts";
import { COUNTINHIBIT } from "./counters.ts";
import { mstatusMask } from "./csr/status.ts";
import { RiscvError } from "./errors.ts";
import type { Hart } from "./hart.ts";
import { satpMode, satpModeExists } from "./mmu/satp.ts";
import { OFF, STATE_FIELDS } from "./state.ts";

const word = z.int().min(-0x80000000).max(0x7fffffff);

/** Values by field: one signed word, or two, low first. The counters are counts here, not offsets. */
const State = z
  .strictObject({
    stateVersion: z.literal(1),
    fields: z.strictObject(
      Object.fromEntries(STATE_FIELDS.map((f) => [f.name, f.words === 1 ? word : z.tuple([word, word])])),
    ),
  })
  .meta({ id: "riscv-hart", version: 1 });

type Fields = Record<string, number | [number, number]>;

const COUNTS = [
  ["mcycleOffset", OFF.mcycleOffset, COUNTINHIBIT.CY],
  ["minstretOffset", OFF.minstretOffset, COUNTINHIBIT.IR],
] as const;

/** Reset, save and load of one hart; `hart` is asked for when one of them happens. */
export class HartState implements Stateful {
  readonly #hart: () => Hart;

  constructor(hart: () => Hart) {
    this.#hart = hart;
  }

  reset(): void {
    this.#hart().reset();
  }

  save(): unknown {
    const hart = this.#hart();
    const fields: Fields = {};
    for (const f of STATE_FIELDS)
      fields[f.name] = f.words === 1 ? hart.lo(f.offset) : [hart.lo(f.offset), hart.hi(f.offset)];
    const count = new Int32Array(2);
    for (const [name, slot, bit] of COUNTS) {
      hart.counters.readCount(slot, bit, count);
      fields[name] = [count[0]!, count[1]!];
    }
    return { stateVersion: 1, fields };
  }

  load(raw: unknown): void {
    const hart = this.#hart();
    const fields = State.parse(raw).fields as Fields;
    check(hart, fields);
    for (const f of STATE_FIELDS) {
      const value = fields[f.name]!;
      if (typeof value === "number") hart.setLo(f.offset, value);
      else hart.set(f.offset, value[0], hart.rv64 || f.wide ? value[1] : 0);
    }
    for (const [name, slot, bit] of COUNTS) {
      const [lo, hi] = fields[name] as [number, number];
      hart.counters.writeCount(slot, bit, lo, hi);
    }
    hart.stateReplaced();
  }
}

/** What the rest of the package relies on. @throws RiscvError bad-state */
function check(hart: Hart, fields: Fields): void {
  const { config } = hart;
  const lo = (name: string): number => {
    const value = fields[name]!;
    return typeof value === "number" ? value : value[0];
  };
  const hi = (name: string): number => (fields[name] as [number, number])[1];
  const only = (name: string, mask: number): boolean => (lo(name) & ~mask) === 0;
  const modeExists = (mode: number): boolean =>
    mode === PRIV.M || (mode === PRIV.S && config.ext.s) || (mode === PRIV.U && config.ext.u);
  const legal: Record<string, boolean> = {
    priv: modeExists(lo("priv")),
    mstatus: only("mstatus", mstatusMask(config) | 0x1800) && modeExists((lo("mstatus") >> 11) & 3),
    satp: satpModeExists(config, satpMode(config.xlen, lo("satp"), hi("satp"))),
    mie: only("mie", M_INTERRUPTS | S_INTERRUPTS),
    irqLines: only("irqLines", M_INTERRUPTS | S_INTERRUPTS),
    mipSoft: only("mipSoft", S_INTERRUPTS),
    mideleg: only("mideleg", S_INTERRUPTS),
    medeleg: only("medeleg", DELEGABLE_EXCEPTIONS),
    frm: only("frm", 7),
    fpRm: only("fpRm", 7),
    fpFlags: only("fpFlags", 31),
    mcountinhibit: only("mcountinhibit", COUNTINHIBIT.CY | COUNTINHIBIT.IR),
    halted: only("halted", 1),
  };
  for (const [name, ok] of Object.entries(legal))
    if (!ok) throw new RiscvError("bad-state", `saved state of hart ${config.hartid}: ${name} holds an illegal value`);
}
