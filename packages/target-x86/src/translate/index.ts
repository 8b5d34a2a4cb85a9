/** All translators, by the names of rows. */
import { alu } from "./alu.ts";
import { bcd } from "./bcd.ts";
import { bit } from "./bit.ts";
import { bmi } from "./bmi.ts";
import { branch } from "./branch.ts";
import { doubleShift } from "./double-shift.ts";
import { fences } from "./fence.ts";
import { move } from "./move.ts";
import { muldiv } from "./muldiv.ts";
import { shift } from "./shift.ts";
import { stackOps } from "./stack-ops.ts";
import { string } from "./string.ts";
import { system } from "./system/index.ts";
import type { Translate } from "./tx.ts";
import { vector } from "./vector/index.ts";
import { wideExchange } from "./wide-exchange.ts";
import { x87 } from "./x87/index.ts";

/** Chapters in the order in which they are looked up; a name is in one of them. */
export const TRANSLATORS: Readonly<Record<string, Translate>> = {
  ...alu,
  ...move,
  ...muldiv,
  ...shift,
  ...doubleShift,
  ...bit,
  ...bmi,
  ...bcd,
  ...branch,
  ...stackOps,
  ...wideExchange,
  ...string,
  ...fences,
  ...system,
  ...x87,
  ...vector,
};
