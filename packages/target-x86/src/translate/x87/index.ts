/** Translators of the chapter "x87". */
import type { x87Rows } from "../../decode/x87.ts";
import type { Translators } from "../tx.ts";
import { x87Arith } from "./arith.ts";
import { x87Control } from "./control.ts";
import { x87Environment } from "./environment.ts";
import { x87Functions } from "./functions.ts";
import { x87Move } from "./move.ts";
import { x87Order } from "./order.ts";

export const x87 = {
  ...x87Arith,
  ...x87Order,
  ...x87Move,
  ...x87Functions,
  ...x87Control,
  ...x87Environment,
} satisfies Translators<typeof x87Rows>;
