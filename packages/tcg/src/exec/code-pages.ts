import type { PhysicalBus } from "./contract.ts";

/**
 * What engines that run at the same time tell each other about translated code. A page of the machine memory (given by any
 * byte in it) is either written without notice or holds translated code of some of them, never both.
 */
export interface CodePages {
  /** Some engine, maybe this one, has code of the page. */
  has(ram: number): boolean;
  /** This engine has said that it has code of the page, and nobody asked for it since. */
  holds(ram: number): boolean;
  /** Called before code of a page is read to be translated. Afterwards stores to it by others are noticed. */
  enter(ram: number): void;
  /** This engine has no code of the page any more. */
  leave(ram: number): void;
  /** Called before a store to a page that {@link CodePages.has} code: others drop theirs. */
  beforeStore(ram: number): void;
  /** Keeps all others from doing what needs more than one access: see {@link CodePages.unlock}. */
  lock(): void;
  unlock(): void;
  /** Who does what the others ask for. */
  connect(engine: CodeOwner): void;
}

/** An engine as the others reach it, while it looks at {@link CodePages}. */
export interface CodeOwner {
  /** Stores to the page are noticed from now on. @returns whether the engine may have done some unnoticed since the last time */
  protect(ram: number): boolean;
  /** All code of the page is dropped. */
  drop(ram: number): void;
}

const PAGE = 4096;

/** Has an engine do what the others ask for. */
export function joinCodePages(
  pages: CodePages,
  bus: PhysicalBus,
  blocks: { invalidate(ram: number, length: number): void },
  cpus: readonly { readonly tlb: { protect(ram: number): boolean } }[],
): void {
  pages.connect({
    protect: (ram) => {
      bus.watchCode(ram, true);
      let stored = false;
      for (const cpu of cpus) if (cpu.tlb.protect(ram)) stored = true;
      return stored;
    },
    drop: (ram) => blocks.invalidate(ram, PAGE),
  });
}

/** Runs something that is one step for all others that come this way. */
export function inOneStep<T>(pages: CodePages | undefined, fn: () => T): T {
  pages?.lock();
  try {
    return fn();
  } finally {
    pages?.unlock();
  }
}
