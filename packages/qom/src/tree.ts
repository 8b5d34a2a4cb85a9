import { QomError } from "./errors.ts";
import { didYouMean } from "./nearest.ts";
import { QomObject } from "./object.ts";
import type { Registry } from "./registry.ts";

/** The composition tree of one machine: every object has one owner and one absolute path. */
export class Tree {
  /** The object at `/`. */
  readonly root: QomObject;
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.root = new QomObject(registry.require("container"));
  }

  /** The container at absolute `path`, made with its parents when missing. */
  container(path: string): QomObject {
    let at = this.root;
    for (const name of split(path))
      at = at.child(name) ?? at.addChild(name, new QomObject(this.#registry.require("container")));
    return at;
  }

  /**
   * The object at an absolute path (`/machine/peripheral/d0`, through links too), or the only one whose path ends
   * with a partial one (`d0`, `peripheral/d0`).
   * @throws QomError bad-path, ambiguous-path (listing the paths)
   */
  resolve(path: string): QomObject {
    if (path.startsWith("/")) {
      let at: QomObject = this.root;
      for (const name of split(path)) {
        const next = at.child(name) ?? at.link(name);
        if (next === undefined) {
          const names = [...at.children()].map(([n]) => n);
          throw new QomError("bad-path", `there is no '${name}' in ${at.path}${didYouMean(name, names)}`, { at: path });
        }
        at = next;
      }
      return at;
    }
    const found = this.match(path);
    if (found.length === 1) return found[0]!;
    if (found.length === 0) throw new QomError("bad-path", `no path in the tree ends with '${path}'`, { at: path });
    throw new QomError(
      "ambiguous-path",
      `'${path}' may be ${found.map((o) => o.path).join(" or ")}; write the whole path`,
      { at: path },
    );
  }

  /** Every object whose path ends with the partial `path`. */
  match(path: string): QomObject[] {
    const wanted = split(path);
    if (wanted.length === 0) return [];
    const found: QomObject[] = [];
    for (const object of this.walk()) {
      let at: QomObject | undefined = object;
      let n = wanted.length;
      while (n > 0 && at !== undefined && at.name === wanted[n - 1]) {
        at = at.parent;
        n--;
      }
      if (n === 0) found.push(object);
    }
    return found;
  }

  /** Every object under `from` (the root by default) and itself, parents before children. */
  *walk(from: QomObject = this.root): Generator<QomObject, void, undefined> {
    yield from;
    for (const [, child] of from.children()) yield* this.walk(child);
  }
}

function split(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}
