import type { GraphNode } from "@mimus/block";
import { ToolError } from "../errors.ts";
import type { OpenHow, Tools } from "../tools.ts";

/** How `open` opens, and the command line. */
export interface OpenImage extends OpenHow {
  /** Writes go to a temporary layer in memory. */
  readonly temporary?: boolean;
  /** What is read from the backing file stays in the image. */
  readonly copyOnRead?: boolean;
}

/** What runs the commands: the open image, requests that nobody has waited for, output. */
export class Session {
  readonly tools: Tools;
  #node: GraphNode | undefined;
  #opened: { readonly name: string; readonly how: OpenImage } | undefined;
  readonly #running: Set<Promise<void>> = new Set();
  /** Set by `quit`. */
  done = false;

  constructor(tools: Tools) {
    this.tools = tools;
  }

  /** The open image. @throws ToolError */
  get node(): GraphNode {
    if (this.#node === undefined) throw new ToolError("no file open");
    return this.#node;
  }
  get isOpen(): boolean {
    return this.#node !== undefined;
  }

  print(text: string): void {
    this.tools.host.out(text);
  }

  async open(name: string, how: OpenImage): Promise<void> {
    const node = await this.#openNode(name, how);
    this.#node = how.temporary === true ? await this.tools.graph.overlay(node) : node;
    this.#opened = { name, how };
  }

  async #openNode(name: string, how: OpenImage): Promise<GraphNode> {
    let node: GraphNode;
    try {
      node = await this.tools.open(name, how);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      const reason = error.message.replace(/^Could not open '[^']*': (?=.)/, "");
      throw new ToolError(`can't open device ${name}: ${reason}`, { cause: error });
    }
    if (how.copyOnRead !== true || how.writable !== true) return node;
    return this.tools.graph.open({ driver: "copy-on-read", file: node.name });
  }

  async close(): Promise<void> {
    await this.settle();
    const node = this.#node;
    this.#node = undefined;
    await node?.close();
  }

  /** Opens the same image again in another way; when that fails, as it was. */
  async reopen(change: OpenImage): Promise<void> {
    const was = this.#opened;
    if (was === undefined) throw new ToolError("no file open");
    await this.close();
    const options = { ...was.how.options, ...change.options };
    try {
      await this.open(was.name, { ...was.how, ...change, options });
    } catch (error) {
      await this.open(was.name, was.how);
      throw error;
    }
  }

  /** Leaves a request running. */
  start(work: Promise<void>): void {
    const running = work.finally(() => this.#running.delete(running));
    running.catch(() => undefined);
    this.#running.add(running);
  }

  /** Waits until no request is running. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
