import type { BlockBackend } from "@mimus/block";
import type { Stateful } from "@mimus/machine-core";
import { DEVICE, ER, ST } from "./spec.ts";
import { State, type UnitState } from "./state.ts";

/** What a unit asks of its channel. */
export interface ChannelPins {
  /** Raises the interrupt, if the unit is the one that is selected and the host wants to hear of it. */
  interrupt(unit: Unit): void;
  /** Bus mastering for {@link Unit.dmaReady}, which is called when the host has started it; undefined: there is none. */
  readonly bus: BusMasterSide | undefined;
}

/** The bus master as a unit uses it. */
export interface BusMasterSide {
  /** The host has set the start bit. */
  readonly started: boolean;
  /** Pieces of memory for `bytes` bytes from the table; `short` if it ends before. */
  pieces(bytes: number): { list: readonly { at: number; length: number }[]; short: boolean; more: boolean };
  write(at: number, from: Uint8Array): void;
  read(at: number, into: Uint8Array): void;
  /** The transfer is over. `more`: the table describes more memory, and the engine stays active. */
  done(more: boolean): void;
}

/** What disks and packet devices have in common: registers, the data register, waiting for the drive. */
export abstract class Unit implements Stateful {
  /** @internal */
  s: UnitState = State.parse({});
  /** Commands that were begun so far: an answer that belongs to an earlier one is dropped. */
  protected epoch = 0;
  protected readonly drive: BlockBackend | undefined;
  #channel: ChannelPins | undefined;
  #waiting = 0;

  constructor(drive: BlockBackend | undefined) {
    this.drive = drive;
  }

  /** The channel that it hangs on. */
  connect(channel: ChannelPins | undefined): void {
    this.#channel = channel;
  }
  protected get bus(): BusMasterSide | undefined {
    return this.#channel?.bus;
  }

  /** Writes the signature of the kind of device into the registers. */
  abstract signature(): void;
  abstract command(code: number): void;
  /** The host has moved the block in the data register. */
  protected abstract moved(): void;
  /** The bus master runs, and the phase is one of DMA. */
  protected abstract transfer(): void;

  reset(): void {
    this.epoch++;
    const { writeCache, open, locked } = this.s;
    this.s = State.parse({ writeCache, open, locked });
    this.signature();
  }
  /** SRST, or EXECUTE DEVICE DIAGNOSTIC. */
  softReset(): void {
    this.epoch++;
    const { s } = this;
    s.phase = "idle";
    s.error = 1;
    s.device = 0;
    this.signature();
  }
  save(): unknown {
    if (this.#waiting > 0) throw new Error("a disk request is in flight: drain the drives before saving");
    return { ...this.s };
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    if (s.from > s.to || s.to > s.data.length) throw new Error("the state of ide-unit has a block outside its data");
    this.epoch++;
    this.s = s;
  }

  /** Reads 2 bytes of the data register; with nothing to be read, 0. */
  readData(): number {
    const { s } = this;
    if ((s.status & ST.DRQ) === 0 || !this.#incoming) return 0;
    const value = s.data[s.from]! | ((s.data[s.from + 1] ?? 0) << 8);
    s.from += 2;
    if (s.from >= s.to) this.moved();
    return value;
  }
  writeData(value: number): void {
    const { s } = this;
    if ((s.status & ST.DRQ) === 0 || this.#incoming) return;
    s.data[s.from] = value;
    if (s.from + 1 < s.data.length) s.data[s.from + 1] = value >>> 8;
    s.from += 2;
    if (s.from >= s.to) this.moved();
  }
  get #incoming(): boolean {
    const { phase } = this.s;
    return phase === "reply" || phase === "read" || phase === "packet-in";
  }

  /** The host has started the bus master. */
  dmaReady(): void {
    if (this.s.phase.startsWith("dma-")) this.transfer();
  }
  /** The host has stopped it: what is on the way is dropped. */
  dmaStopped(): void {
    if (!this.s.phase.startsWith("dma-")) return;
    this.epoch++;
    this.s.phase = "idle";
    this.s.error = ER.ABORT;
    this.s.status = ST.READY | ST.SEEK | ST.ERR;
  }

  // ---- for the kinds of device

  protected interrupt(): void {
    this.#channel?.interrupt(this);
  }
  /** Ends a command without error. */
  protected ok(): void {
    const { s } = this;
    s.phase = "idle";
    s.error = 0;
    s.status = ST.READY | ST.SEEK;
    this.interrupt();
  }
  /** Ends a command with an error. */
  protected fail(error: number = ER.ABORT): void {
    const { s } = this;
    s.phase = "idle";
    s.error = error;
    s.status = ST.READY | ST.SEEK | ST.ERR;
    this.interrupt();
  }
  /** Offers bytes `from`..`to` of `data` in the data register. */
  protected offer(from: number, to: number): void {
    const { s } = this;
    s.from = from;
    s.to = to;
    s.error = 0;
    s.status = ST.READY | ST.SEEK | ST.DRQ;
  }
  /** One block of data that the command is about, and done. */
  protected reply(data: Uint8Array): void {
    const { s } = this;
    s.phase = "reply";
    s.data = data;
    this.offer(0, data.length);
    this.interrupt();
  }
  /** Waits for the drive with BSY set. `then` hears whether it went well, unless the command is no longer the same. */
  protected wait(work: Promise<void>, then: (good: boolean) => void): void {
    const { epoch } = this;
    this.s.status = ST.BUSY;
    this.#waiting++;
    const end = (good: boolean): void => {
      this.#waiting--;
      if (epoch === this.epoch) then(good);
    };
    work.then(
      () => end(true),
      () => end(false),
    );
  }
  /** Begins a transfer by the bus master: now, or once it is started. @returns false: there is none */
  protected startDma(phase: UnitState["phase"]): boolean {
    const { bus } = this;
    if (bus === undefined) return false;
    this.s.phase = phase;
    this.s.status = ST.READY | ST.SEEK | ST.DRQ;
    if (bus.started) this.transfer();
    return true;
  }
  /** The bits of the device register that are the host's. */
  protected get lba(): boolean {
    return (this.s.device & DEVICE.LBA) !== 0;
  }
}
