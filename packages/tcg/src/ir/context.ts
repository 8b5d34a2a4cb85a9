import { IrError } from "./errors.ts";
import type { EnvField, HelperSpec } from "./type.ts";

/** The names that a block's text and its builder may use: the globals and helpers of one target. */
export class IrContext {
  readonly globals: readonly EnvField[];
  readonly helpers: readonly HelperSpec[];
  readonly #global = new Map<string, number>();
  readonly #helper = new Map<string, HelperSpec>();

  constructor(globals: readonly EnvField[], helpers: readonly HelperSpec[] = []) {
    this.globals = globals;
    this.helpers = helpers;
    globals.forEach((g, i) => this.#global.set(g.name, i));
    for (const h of helpers) this.#helper.set(h.name, h);
  }

  /** Index of a global. @throws IrError unknown */
  global(name: string): number {
    const index = this.#global.get(name);
    if (index === undefined) throw new IrError("unknown", `There is no global "${name}"`);
    return index;
  }

  /** The helper of that name. @throws IrError unknown */
  helper(name: string): HelperSpec {
    const helper = this.#helper.get(name);
    if (helper === undefined) throw new IrError("unknown", `There is no helper "${name}"`);
    return helper;
  }
}
