import { REG } from "./spec.ts";
import { VectorSet } from "./vectors.ts";

/** Requested and served interrupts of a local APIC, and the priority that they give it. Source: Intel SDM vol. 3 (325384-080), 11.8. */
export class Interrupts {
  readonly #isr: VectorSet = new VectorSet();
  readonly #tmr: VectorSet = new VectorSet();
  readonly #irr: VectorSet = new VectorSet();
  /** Processor priority, 0..255. */
  ppr = 0;

  request(vector: number, level: boolean): void {
    this.#irr.add(vector);
    if (level) this.#tmr.add(vector);
    else this.#tmr.remove(vector);
  }

  /** The requested vector that may interrupt; -1: none. */
  pending(): number {
    const vector = this.#irr.highest();
    return vector >= 0 && vector >> 4 > this.ppr >> 4 ? vector : -1;
  }

  /** A requested vector is served from now on. */
  take(vector: number): void {
    this.#irr.remove(vector);
    this.#isr.add(vector);
  }

  /** Ends the service of the highest vector and gives it; -1: none is served. */
  end(): number {
    const vector = this.#isr.highest();
    if (vector >= 0) this.#isr.remove(vector);
    return vector;
  }

  isLevel(vector: number): boolean {
    return this.#tmr.has(vector);
  }

  /** Computes the processor's priority from the task's. */
  settle(tpr: number): void {
    const served = this.#isr.highest();
    const top = served < 0 ? 0 : served & 0xf0;
    this.ppr = tpr >> 4 >= top >> 4 ? tpr : top;
  }

  clear(): void {
    for (const set of [this.#isr, this.#tmr, this.#irr]) set.clear();
  }

  /** A register ISR, TMR or IRR. */
  word(reg: number): number {
    const set = reg < REG.TMR ? this.#isr : reg < REG.IRR ? this.#tmr : this.#irr;
    return set.words[reg & 7]!;
  }

  save(): { isr: number[]; tmr: number[]; irr: number[] } {
    return { isr: [...this.#isr.words], tmr: [...this.#tmr.words], irr: [...this.#irr.words] };
  }

  load(s: { isr: readonly number[]; tmr: readonly number[]; irr: readonly number[] }): void {
    this.#isr.load(s.isr);
    this.#tmr.load(s.tmr);
    this.#irr.load(s.irr);
  }
}
