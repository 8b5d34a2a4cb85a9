import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { dirname } from "node:path";

import { E, fail } from "@mimus/linux-user";

/** Links that one path may lead through. Source: Linux man-pages, path_resolution(7). */
const LINKS_MOST = 40;

/** Where paths of a program lie on this host. */
export interface PathMap {
  /** @param follow whether a link at the end is followed */
  host(path: string, follow: boolean): string;
  /** The program's view of a path of the host. */
  guest(path: string): string;
}

/** Without a sysroot both are the same. */
export const samePaths: PathMap = { host: (path) => path, guest: (path) => path };

/**
 * Absolute paths are looked up in a folder first, then on the host. Links in the folder with absolute targets are looked up
 * in the same way.
 */
export class SysrootPaths implements PathMap {
  readonly #root: string;

  constructor(root: string) {
    this.#root = realpathSync.native(root).replace(/\/+$/, "");
  }

  host(path: string, follow: boolean, links: number = 0): string {
    // What was found in the sysroot and shown by its own name is there.
    if (path.startsWith(`${this.#root}/`)) return path;
    const full = this.#root + path;
    const inside = this.#fast(full, follow) ?? this.#walk(path, follow);
    if (inside !== undefined) return inside;
    const link = follow ? this.#fast(full, false) : undefined;
    if (link !== undefined && lstatSync(link).isSymbolicLink()) {
      // It leads to what is not there yet.
      if (links > LINKS_MOST) fail(E.LOOP);
      const target = readlinkSync(link);
      return this.host(target.startsWith("/") ? target : `${this.guest(dirname(link))}/${target}`, true, links + 1);
    }
    // A new file goes where its directory is, unless the host has the path.
    if (existsSync(path)) return path;
    const cut = path.replace(/\/+$/, "").lastIndexOf("/");
    const parent = this.#fast(this.#root + path.slice(0, cut + 1), true) ?? this.#walk(path.slice(0, cut + 1), true);
    if (parent === undefined || cut < 0 || this.#shared(path.slice(0, cut + 1))) return path;
    return `${parent}/${path.slice(cut + 1)}`;
  }

  /** Whether the host has a directory of this name too: new files are the host's then. */
  #shared(dir: string): boolean {
    return existsSync(dir);
  }

  /** The usual case: no link in the path leads out of the sysroot. */
  #fast(full: string, follow: boolean): string | undefined {
    try {
      if (follow) {
        const real = realpathSync.native(full);
        return this.#has(real) ? real : undefined;
      }
      const cut = full.replace(/\/+$/, "").lastIndexOf("/");
      const dir = realpathSync.native(full.slice(0, cut) || "/");
      const place = dir + full.slice(cut);
      return this.#has(place) && lstatSync(place, { throwIfNoEntry: false }) ? place : undefined;
    } catch {
      return undefined;
    }
  }

  #has(path: string): boolean {
    return path === this.#root || path.startsWith(`${this.#root}/`);
  }

  /** Name by name. @returns undefined when the sysroot does not have it */
  #walk(path: string, follow: boolean): string | undefined {
    let names = path.split("/").filter(Boolean);
    let at: string[] = [];
    for (let links = 0; names.length > 0;) {
      const name = names.shift()!;
      if (name === ".") continue;
      if (name === "..") {
        at.pop();
        continue;
      }
      const place = `${this.#root}/${[...at, name].join("/")}`;
      const info = lstatSync(place, { throwIfNoEntry: false });
      if (info === undefined) return undefined;
      if (!info.isSymbolicLink() || (names.length === 0 && !follow)) {
        at.push(name);
        continue;
      }
      if (++links > LINKS_MOST) fail(E.LOOP);
      const target = readlinkSync(place);
      names = [...target.split("/").filter(Boolean), ...names];
      if (target.startsWith("/")) {
        // The target may be the host's.
        const rest = `/${names.join("/")}`;
        at = [];
        if (lstatSync(`${this.#root}/${names[0] ?? ""}`, { throwIfNoEntry: false }) === undefined) return rest;
      }
    }
    return `${this.#root}/${at.join("/")}`;
  }

  guest(path: string): string {
    if (path === this.#root) return "/";
    return path.startsWith(`${this.#root}/`) ? path.slice(this.#root.length) : path;
  }
}
