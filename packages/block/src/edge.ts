import type { GraphNode } from "./graph-node.ts";
import type { HostFile } from "./host-file.ts";
import type { ImageOps } from "./image-ops.ts";
import type { BlockNode } from "./node.ts";
import type { BlockStatus } from "./status.ts";

/**
 * What a driver holds in place of a node below it: passes everything on to its target, which graph changes may replace
 * while nothing is in flight. Closing it gives the node up; the node itself closes when nobody holds it any more.
 */
export class Edge implements BlockNode {
  /** "file", "backing", "data-file", "extents.0". */
  readonly role: string;
  #target: GraphNode;
  #parent: GraphNode | undefined;
  #open = true;
  readonly #discard = (at: number, length: number): Promise<void> => this.#target.discard?.(at, length) ?? NOTHING;
  readonly #resize = (size: number): Promise<void> => {
    const { resize } = this.#target;
    // A target that cannot be resized after a swap says so itself, as a write to a read-only one does.
    return resize ? resize.call(this.#target, size) : this.#target.refuse("resize");
  };

  constructor(role: string, target: GraphNode) {
    this.role = role;
    this.#target = target;
    target.parents.add(this);
  }

  /** The node that is held. */
  get target(): GraphNode {
    return this.#target;
  }
  /** The node that holds; undefined while it is still being opened. */
  get parent(): GraphNode | undefined {
    return this.#parent;
  }
  set parent(node: GraphNode) {
    if (!this.#open) return; // its driver has given it up already
    this.#parent = node;
    node.edges.set(this.role, this);
  }
  /** Puts another node in place. The caller has drained both, and gives up the old one when nobody holds it. */
  retarget(node: GraphNode): void {
    this.#target.parents.delete(this);
    this.#target = node;
    node.parents.add(this);
  }

  get name(): string {
    return this.#target.name;
  }
  get size(): number {
    return this.#target.size;
  }
  get grows(): boolean {
    return this.#target.grows;
  }
  get readOnly(): boolean {
    return this.#target.readOnly;
  }
  get sectorSize(): number {
    return this.#target.sectorSize;
  }
  get driver(): string {
    return this.#target.driver;
  }
  get filename(): string {
    return this.#target.filename;
  }
  get children(): Readonly<Record<string, BlockNode>> {
    return this.#target.children;
  }
  get image(): ImageOps | undefined {
    return this.#target.image;
  }

  read(at: number, into: Uint8Array): Promise<void> {
    return this.#target.read(at, into);
  }
  write(at: number, from: Uint8Array): Promise<void> {
    return this.#target.write(at, from);
  }
  readv(at: number, into: readonly Uint8Array[]): Promise<void> {
    return this.#target.readv(at, into);
  }
  readNow(at: number, into: readonly Uint8Array[]): boolean {
    return this.#target.readNow(at, into);
  }
  writev(at: number, from: readonly Uint8Array[]): Promise<void> {
    return this.#target.writev(at, from);
  }
  writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    return this.#target.writeZeroes(at, length, unmap);
  }
  get hostFile(): HostFile | undefined {
    return this.#target.hostFile;
  }
  copyFrom(file: HostFile, from: number, at: number, length: number): Promise<boolean> {
    return this.#target.copyFrom(file, from, at, length);
  }
  flush(): Promise<void> {
    return this.#target.flush();
  }
  event(name: string): Promise<unknown> | undefined {
    return this.#target.event(name);
  }
  blockStatus(at: number, length: number): Promise<BlockStatus> {
    return this.#target.blockStatus(at, length);
  }
  statusNow(at: number, length: number): BlockStatus | undefined {
    return this.#target.statusNow(at, length);
  }
  allocated(): Promise<number | undefined> {
    return this.#target.allocated();
  }
  get discard(): ((at: number, length: number) => Promise<void>) | undefined {
    return this.#target.discard ? this.#discard : undefined;
  }
  get resize(): ((size: number) => Promise<void>) | undefined {
    return this.#target.resize ? this.#resize : undefined;
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    if (this.#parent?.edges.get(this.role) === this) this.#parent.edges.delete(this.role);
    this.#target.parents.delete(this);
    await this.#target.closeUnheld();
  }
}

const NOTHING: Promise<void> = Promise.resolve();
