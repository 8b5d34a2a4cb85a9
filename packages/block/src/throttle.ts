import { defineObject, size as byteCount, u64 } from "@mimus/qom";
import type { TypeSpec } from "@mimus/qom";
import { z } from "zod";
import { BlockError } from "./errors.ts";

/** One limit: a rate, and how far above it a burst may go. 0 = no limit. */
export interface Bucket {
  /** Units a second in the long run. */
  readonly avg: number;
  /** Units a second in a burst; 0 = a tenth of a second's worth may be ahead. */
  readonly max: number;
  /** Seconds that a burst may last. */
  readonly length: number;
}

/** Names of all limits, as options have them. */
export const BUCKETS = ["bps-total", "bps-read", "bps-write", "iops-total", "iops-read", "iops-write"] as const;
/** A limit: bytes or operations a second, of reads, of writes or of both. */
export type BucketName = (typeof BUCKETS)[number];

/** Limits of a throttle group, in the names of QEMU's ThrottleLimits. */
export interface ThrottleLimits {
  /** Every limit; 0 where there is none. */
  readonly buckets: Readonly<Record<BucketName, Bucket>>;
  /** Bytes that count as one operation; 0 = each request is one. */
  readonly iopsSize: number;
}

/** Host time for throttling. */
export interface ThrottleClock {
  /** Milliseconds. */
  now(): number;
  /** Waits this many nanoseconds. */
  delay(ns: number): Promise<void>;
}

const MAX = 1e15;

/** Reads limits out of options named `prefix + "bps-total"`, `prefix + "bps-total-max"`, ... @throws BlockError "bad-option" */
export function parseLimits(
  options: Readonly<Record<string, unknown>>,
  name: (bucket: string) => string,
): ThrottleLimits {
  const get = (key: string, fallback: number): number => {
    const given = options[name(key)];
    if (given === undefined) return fallback;
    const value = byteCount.safeParse(given);
    if (!value.success || value.data > MAX)
      throw new BlockError("bad-option", `${name(key)}: bps/iops/max values must be within [0, ${MAX}]`);
    return value.data;
  };
  const buckets = {} as Record<BucketName, Bucket>;
  for (const key of BUCKETS) {
    const bucket = { avg: get(key, 0), max: get(`${key}-max`, 0), length: get(`${key}-max-length`, 1) };
    if (bucket.length < 1) throw new BlockError("bad-option", "the burst length cannot be 0");
    if (bucket.max > 0 && bucket.avg === 0)
      throw new BlockError("bad-option", "bps_max/iops_max require corresponding bps/iops values");
    if (bucket.max > 0 && bucket.max < bucket.avg)
      throw new BlockError("bad-option", "bps_max/iops_max cannot be lower than bps/iops");
    if (bucket.length > 1 && bucket.max === 0)
      throw new BlockError("bad-option", "burst length set without burst rate");
    buckets[key] = bucket;
  }
  for (const unit of ["bps", "iops"] as const)
    if (buckets[`${unit}-total`].avg > 0 && buckets[`${unit}-read`].avg + buckets[`${unit}-write`].avg > 0)
      throw new BlockError(
        "bad-option",
        "bps/iops/max total values and read/write values cannot be used at the same time",
      );
  const iopsSize = get("iops-size", 0);
  if (iopsSize > 0 && !BUCKETS.some((name) => name.startsWith("iops") && buckets[name].avg > 0))
    throw new BlockError("bad-option", "iops size requires an iops value to be set");
  return { buckets, iopsSize };
}

/**
 * Reads the limits of a throttle group: those under `limits`, else those named `x-bps-total`, ...
 * @throws BlockError "bad-option", also for limits that there are not
 */
export function groupLimits({ limits, ...others }: Readonly<Record<string, unknown>>): ThrottleLimits {
  if (limits === undefined) return parseLimits(others, (key) => `x-${key}`);
  if (typeof limits !== "object" || limits === null || Array.isArray(limits))
    throw new BlockError("bad-option", "throttle-group: 'limits' needs names, such as limits.bps-total=1048576");
  const known = ["iops-size", ...BUCKETS.flatMap((name) => [name, `${name}-max`, `${name}-max-length`])];
  const unknown = Object.keys(limits).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new BlockError(
      "bad-option",
      `throttle-group: invalid parameter 'limits.${unknown}' (known: ${known.join(", ")})`,
    );
  return parseLimits(limits as Record<string, unknown>, (key) => key);
}

/** True when some limit is set. */
export function limited(limits: ThrottleLimits): boolean {
  return BUCKETS.some((name) => limits.buckets[name].avg > 0);
}

/**
 * Requests that share limits: each waits until the leaky buckets of its direction have room, in the order of asking.
 * Source: QEMU 7.2 documentation, "Throttling" (docs/throttle.txt): meaning of avg, max, length and iops-size.
 */
export class ThrottleGroup {
  /** Id of the -object, or of the drive that has the limits alone. */
  readonly name: string;
  /** Nodes that go by these limits. */
  users = 0;
  #limits: ThrottleLimits;
  readonly #levels: Record<BucketName, { level: number; burst: number }>;
  /** The last request of each direction: the next one waits for it. */
  readonly #last: [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()];
  #waiting = 0;
  #then = 0;

  constructor(name: string, limits: ThrottleLimits) {
    this.name = name;
    this.#limits = limits;
    this.#levels = emptyLevels();
  }

  get limits(): ThrottleLimits {
    return this.#limits;
  }
  set limits(limits: ThrottleLimits) {
    this.#limits = limits;
    Object.assign(this.#levels, emptyLevels());
  }

  /** Resolves when the request may go on. */
  admit(write: boolean, bytes: number, clock: ThrottleClock): Promise<void> | undefined {
    if (!limited(this.#limits)) return undefined;
    if (this.#waiting === 0 && this.#wait(write, clock) <= 0) {
      this.#account(write, bytes);
      return undefined;
    }
    const way = write ? 1 : 0;
    this.#waiting++;
    const turn = this.#last[way].then(() => this.#turn(write, bytes, clock)).finally(() => this.#waiting--);
    this.#last[way] = turn.catch(() => undefined);
    return turn;
  }

  async #turn(write: boolean, bytes: number, clock: ThrottleClock): Promise<void> {
    for (;;) {
      const wait = this.#wait(write, clock);
      if (wait <= 0) break;
      // Looked at again at least four times a second: limits may change meanwhile.
      await clock.delay(Math.ceil(Math.min(wait, 0.25) * 1e9));
    }
    this.#account(write, bytes);
  }

  /** Seconds until the next request of this direction may start. */
  #wait(write: boolean, clock: ThrottleClock): number {
    const now = clock.now();
    const passed = Math.max(0, now - this.#then) / 1000;
    this.#then = now;
    let wait = 0;
    for (const name of BUCKETS) {
      const { avg, max, length } = this.#limits.buckets[name];
      if (avg === 0) continue;
      const state = this.#levels[name];
      state.level = Math.max(0, state.level - avg * passed);
      if (length > 1) state.burst = Math.max(0, state.burst - max * passed);
      if (name.endsWith(write ? "-read" : "-write")) continue;
      const over = state.level - (max === 0 ? avg / 10 : max * length);
      if (over > 0) wait = Math.max(wait, over / avg);
      else if (length > 1) wait = Math.max(wait, (state.burst - max / 10) / max);
    }
    return wait;
  }

  #account(write: boolean, bytes: number): void {
    const { buckets, iopsSize } = this.#limits;
    const operations = iopsSize > 0 && bytes > iopsSize ? bytes / iopsSize : 1;
    for (const name of BUCKETS) {
      if (buckets[name].avg === 0 || name.endsWith(write ? "-read" : "-write")) continue;
      const units = name.startsWith("bps") ? bytes : operations;
      this.#levels[name].level += units;
      if (buckets[name].length > 1) this.#levels[name].burst += units;
    }
  }
}

function emptyLevels(): Record<BucketName, { level: number; burst: number }> {
  return Object.fromEntries(BUCKETS.map((n) => [n, { level: 0, burst: 0 }])) as Record<
    BucketName,
    { level: number; burst: number }
  >;
}

function groupProps(): z.ZodObject {
  const props: Record<string, z.ZodType> = { "x-iops-size": u64.optional(), limits: z.unknown().optional() };
  for (const name of BUCKETS) {
    props[`x-${name}`] = byteCount.optional();
    props[`x-${name}-max`] = byteCount.optional();
    props[`x-${name}-max-length`] = u64.optional();
  }
  return z.strictObject(props);
}

/** Limits that several nodes or drives share: `-object throttle-group,id=tg0,limits.iops-total=100`. */
export const throttleGroup: TypeSpec = defineObject({
  name: "throttle-group",
  summary: "Limits of disk speed that several drives share",
  props: groupProps,
  create(props, id) {
    return new ThrottleGroup(id, groupLimits(props));
  },
});
