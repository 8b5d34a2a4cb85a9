/** Names of what a request may meet. Source: QEMU 7.2, qapi/block-core.json, BlkdebugEvent. */
export const EVENTS: ReadonlySet<string> = new Set(
  (
    "l1_update l1_grow_alloc_table l1_grow_write_table l1_grow_activate_table l2_load l2_update l2_update_compressed " +
    "l2_alloc_cow_read l2_alloc_write read_aio read_backing_aio read_compressed write_aio write_compressed vmstate_load " +
    "vmstate_save cow_read cow_write reftable_load reftable_grow reftable_update refblock_load refblock_update " +
    "refblock_update_part refblock_alloc refblock_alloc_hookup refblock_alloc_write refblock_alloc_write_blocks " +
    "refblock_alloc_write_table refblock_alloc_switch_table cluster_alloc cluster_alloc_bytes cluster_free flush_to_os " +
    "flush_to_disk pwritev_rmw_head pwritev_rmw_after_head pwritev_rmw_tail pwritev_rmw_after_tail pwritev pwritev_zero " +
    "pwritev_done empty_image_prepare l1_shrink_write_table l1_shrink_free_l2_clusters cor_write cluster_alloc_space none"
  ).split(" "),
);

/** What becomes of a request at a breakpoint. */
export type BreakpointNews = (what: "Suspended" | "Resuming", tag: string) => void;

interface Breakpoint {
  readonly event: string;
  readonly tag: string;
  readonly tell: BreakpointNews;
}

/** Stops requests where they meet an event: each breakpoint stops one. */
export class Breakpoints {
  #set: Breakpoint[] = [];
  readonly #stopped: { readonly point: Breakpoint; readonly go: () => void }[] = [];
  #watchers: { readonly tag: string; readonly found: () => void }[] = [];

  /** @returns false for an event that there is not */
  set(event: string, tag: string, tell: BreakpointNews = () => undefined): boolean {
    if (!EVENTS.has(event)) return false;
    this.#set.push({ event, tag, tell });
    return true;
  }

  /** Lets a stopped request go on. @returns false when none waits there */
  resume(tag: string): boolean {
    const at = this.#stopped.findIndex((s) => s.point.tag === tag);
    const [found] = at < 0 ? [] : this.#stopped.splice(at, 1);
    found?.point.tell("Resuming", tag);
    found?.go();
    return found !== undefined;
  }

  /** Forgets breakpoints of that name, and lets requests go on that they stopped. @returns false when none was still to be met */
  remove(tag: string): boolean {
    const before = this.#set.length;
    this.#set = this.#set.filter((point) => point.tag !== tag);
    while (this.resume(tag));
    return this.#set.length < before;
  }

  /** Resolves when a request waits there. */
  async reached(tag: string): Promise<void> {
    if (this.#stopped.some((s) => s.point.tag === tag)) return;
    await new Promise<void>((found) => this.#watchers.push({ tag, found }));
  }

  /** A request meets an event; undefined: it goes on at once. */
  meet(event: string): Promise<unknown> | undefined {
    if (this.#set.length === 0) return undefined;
    const here = this.#set.filter((point) => point.event === event).toReversed();
    if (here.length === 0) return undefined;
    this.#set = this.#set.filter((point) => point.event !== event);
    return Promise.all(
      here.map((point) => {
        point.tell("Suspended", point.tag);
        const going = new Promise<void>((go) => this.#stopped.push({ point, go }));
        for (const watcher of this.#watchers) if (watcher.tag === point.tag) watcher.found();
        this.#watchers = this.#watchers.filter((w) => w.tag !== point.tag);
        return going;
      }),
    );
  }
}
