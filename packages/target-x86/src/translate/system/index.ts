/** All translators of system instructions. */
import type { systemRows } from "../../decode/system.ts";
import { branch } from "../branch.ts";
import { stackOps } from "../stack-ops.ts";
import type { Translate, Translators } from "../tx.ts";
import { calls, popf } from "./calls.ts";
import { control } from "./control.ts";
import { far } from "./far.ts";
import { ports } from "./ports.ts";

/** Chapter "system". What near branches and the stack have translators for is theirs. */
export const system: Readonly<Record<string, Translate>> = {
  ...far,
  ...ports,
  ...control,
  ...calls,
  int3: branch.int3,
  into: branch.into,
  pushf: stackOps.pushf,
  popf,
} satisfies Translators<typeof systemRows>;
