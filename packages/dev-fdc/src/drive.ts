import type { BlockBackend } from "@mimus/block";
import { defineState } from "@mimus/machine-core";
import type { Stateful } from "@mimus/machine-core";
import { z } from "zod";
import type { DriveKind, Geometry } from "./geometry.ts";
import { geometryFor, kindFor, SECTOR } from "./geometry.ts";

/** Bytes of the largest medium that is kept in memory; no floppy disk has more. */
const MOST_COPIED = 4 * 2 ** 20;

const State = defineState("floppy", 1, {
  track: z.int().min(0).max(255).default(0),
  /** A medium was changed, and no step has happened since. */
  changed: z.boolean().default(true),
});

/** A floppy disk drive: where its head is, and what lies in it. */
export class FloppyDrive implements Stateful {
  readonly #backend: BlockBackend | undefined;
  readonly #wanted: DriveKind | "auto";
  readonly #fallback: DriveKind;
  #kind: DriveKind = "none";
  #geometry: Geometry | undefined;
  #copy: Uint8Array | undefined;
  #s = State.parse({});

  /** `wanted` "auto": the kind that the medium is for, `fallback` when it does not tell. */
  constructor(backend: BlockBackend | undefined, wanted: DriveKind | "auto", fallback: DriveKind) {
    this.#backend = backend;
    this.#wanted = wanted;
    this.#fallback = fallback;
    this.#kind = wanted === "auto" ? fallback : wanted;
    this.#look();
    if (backend !== undefined) backend.onResize = () => this.#swapped();
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse(this.#s);
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
  }

  get kind(): DriveKind {
    return this.#kind;
  }
  /** How the medium is divided; undefined without one. */
  get geometry(): Geometry | undefined {
    return this.#geometry;
  }
  get readOnly(): boolean {
    return this.#backend?.readOnly ?? false;
  }
  /** The cylinder that the head is over. */
  get track(): number {
    return this.#s.track;
  }
  /** The disk change line. */
  get changed(): boolean {
    return this.#s.changed || this.#geometry === undefined;
  }

  /** Moves the head; a step with a medium in the drive clears the disk change line. */
  seek(track: number): void {
    this.#s.track = Math.max(0, Math.min(255, track));
    if (this.#geometry !== undefined) this.#s.changed = false;
  }

  /** The controller has forgotten where the head is; it is taken to be over the first cylinder. */
  home(): void {
    this.#s.track = 0;
  }

  /** Number of a sector, counted from the start of the medium; undefined for one that is not there. `sector` counts from 1. */
  sectorNumber(track: number, head: number, sector: number): number | undefined {
    const g = this.#geometry;
    if (g === undefined || track >= g.tracks || head >= g.heads || sector < 1 || sector > g.sectors) return undefined;
    const number = (track * g.heads + head) * g.sectors + sector - 1;
    return (number + 1) * SECTOR <= (this.#backend?.size ?? 0) ? number : undefined;
  }

  /** Undefined: it is done at once, from the copy in memory. */
  read(sector: number, into: Uint8Array): Promise<void> | undefined {
    const at = sector * SECTOR;
    const copy = this.#copy;
    if (copy === undefined || at + into.length > copy.length) return this.#backend?.read(at, into);
    into.set(copy.subarray(at, at + into.length));
    return undefined;
  }
  async write(sector: number, from: Uint8Array): Promise<void> {
    const at = sector * SECTOR;
    await this.#backend?.write(at, from);
    if (this.#copy !== undefined && at + from.length <= this.#copy.length) this.#copy.set(from, at);
  }

  /** Reads the medium into memory, so that a slow host does not make the guest give up; without it each read asks the host. */
  async prepare(): Promise<void> {
    const backend = this.#backend;
    const node = backend?.node;
    this.#copy = undefined;
    if (backend === undefined || node === undefined || backend.size > MOST_COPIED) return;
    const copy = new Uint8Array(backend.size - (backend.size % SECTOR));
    try {
      // Asked of the medium itself: an error here is nobody's yet.
      await node.read(0, copy);
    } catch {
      return;
    }
    if (backend.node === node) this.#copy = copy;
  }

  /** The user put in another medium, or took it out. */
  #swapped(): void {
    this.#look();
    this.#s.changed = true;
    void this.prepare();
  }

  #look(): void {
    const bytes = this.#backend?.node === undefined ? 0 : this.#backend.size;
    if (this.#wanted === "auto" && bytes > 0) this.#kind = kindFor(bytes) ?? this.#fallback;
    this.#geometry = bytes < SECTOR ? undefined : geometryFor(this.#kind, bytes);
  }
}
