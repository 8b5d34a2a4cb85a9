import { P9Error } from "./codec.ts";
import type { HostDirectory, HostEntry, HostHandle } from "./host.ts";

/** A file or folder that fids point at. One object for each place, so that a rename reaches all of them. */
export class Node {
  entry: HostEntry;
  parent: Node | undefined;
  name: string;
  readonly children: Map<string, Node> = new Map();
  /** Fids and children that hold it. */
  held = 0;

  constructor(entry: HostEntry, parent: Node | undefined, name: string) {
    this.entry = entry;
    this.parent = parent;
    this.name = name;
  }

  hold(): this {
    this.held++;
    return this;
  }
  release(): void {
    if (--this.held > 0 || !this.parent) return;
    if (this.parent.children.get(this.name) === this) this.parent.children.delete(this.name);
    this.parent.release();
  }

  /** The node one step down, which the caller holds. ".." at the top stays there. */
  async step(dir: HostDirectory, name: string): Promise<Node> {
    if (name === ".") return this.hold();
    if (name === "..") return (this.parent ?? this).hold();
    checkName(name);
    const entry = await dir.lookup(this.entry, name);
    const known = this.children.get(name);
    if (known) {
      known.entry = entry;
      return known.hold();
    }
    const child = new Node(entry, this, name);
    this.children.set(name, child);
    this.hold();
    return child.hold();
  }

  /** Moves the node to another place after the host did. */
  moveTo(parent: Node, name: string): void {
    const old = this.parent;
    if (!old) return;
    if (old.children.get(this.name) === this) old.children.delete(this.name);
    parent.children.set(name, this);
    parent.hold();
    this.parent = parent;
    this.name = name;
    old.release();
  }
}

/** What a client's number stands for. */
export interface Fid {
  node: Node;
  handle?: HostHandle;
  /** An open folder: what readdir tells, taken when it starts. */
  listing?: { readonly name: string; readonly mode: number; readonly inode: number }[];
  folder?: boolean;
}

/** Refuses what is no single name: the only way out of a folder. */
export function checkName(name: string): void {
  if (name === "" || name === "." || name === "..") throw new P9Error("EINVAL", `'${name}' is not a name`);
  if (name.includes("/") || name.includes("\0")) throw new P9Error("ENOENT", "a name with a slash");
  if (name.length > 255) throw new P9Error("ENAMETOOLONG");
}
