import type { BlockBackend } from "@mimus/block";
import { defineState } from "@mimus/machine-core";
import type { Stateful } from "@mimus/machine-core";
import { z } from "zod";
import type { DriveKind, Geometry } from "./geometry.ts";
import { geometryFor, kindFor, SECTOR } from "./geometry.ts";

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

  async read(sector: number, into: Uint8Array): Promise<void> {
    await this.#backend?.read(sector * SECTOR, into);
  }
  async write(sector: number, from: Uint8Array): Promise<void> {
    await this.#backend?.write(sector * SECTOR, from);
  }

  /** The user put in another medium, or took it out. */
  #swapped(): void {
    this.#look();
    this.#s.changed = true;
  }

  #look(): void {
    const bytes = this.#backend?.node === undefined ? 0 : this.#backend.size;
    if (this.#wanted === "auto" && bytes > 0) this.#kind = kindFor(bytes) ?? this.#fallback;
    this.#geometry = bytes < SECTOR ? undefined : geometryFor(this.#kind, bytes);
  }
}
