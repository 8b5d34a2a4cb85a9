import type { Block } from "../ir/block.ts";
import { Backward } from "./dead.ts";
import { Forward } from "./forward.ts";

/** Called with the block after each pass; tests verify it there. */
export type AfterPass = (name: string, block: Block) => void;

/** Optimises blocks, one after another; keeps its tables between them. */
export class Optimiser {
  readonly #forward = new Forward();
  readonly #backward = new Backward();

  /** A better block with the same meaning. The one given stays as it is. */
  run(block: Block, after?: AfterPass): Block {
    // Globals become values, constants are folded, bits simplified, equal operations shared.
    const rewritten = this.#forward.run(block);
    after?.("forward", rewritten);
    // Stores that nothing sees and values that nothing uses go.
    const swept = this.#backward.run(rewritten);
    after?.("backward", swept);
    return swept;
  }
}
