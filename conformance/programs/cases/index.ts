import type { ProgramCase } from "../case.ts";
import { bash } from "./bash.ts";
import { busybox } from "./busybox.ts";
import { coreutils } from "./coreutils.ts";
import { bad } from "./faults.ts";
import { gcc } from "./gcc.ts";
import { perl } from "./perl.ts";
import { python } from "./python.ts";
import { sqlite } from "./sqlite.ts";

/** Every case, in the order of a run. */
export const CASES: readonly ProgramCase[] = [
  ...bad,
  ...busybox,
  ...coreutils,
  ...bash,
  ...perl,
  ...sqlite,
  ...python,
  ...gcc,
];
