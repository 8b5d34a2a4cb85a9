import type { Block } from "../ir/block.ts";
import { Backward } from "./dead.ts";
import { Forward } from "./forward.ts";

/** Called with the block after each pass; tests verify it there. */
export type AfterPass = (name: string, block: Block) => void;

/** Optimises blocks, one after another; keeps its tables between them. */
export class Optimiser {
  readonly #forward = new Forward();
  readonly #backward = new Backward();

  /** Makes the block better, in place, with the same meaning; returns it. */
  run(block: Block, after?: AfterPass): Block {
    // Globals become values, constants are folded, bits simplified, equal operations shared.
    this.#forward.run(block);
    after?.("forward", block);
    // Stores that nothing sees and values that nothing uses go.
    this.#backward.run(block);
    after?.("backward", block);
    return block;
  }
}
