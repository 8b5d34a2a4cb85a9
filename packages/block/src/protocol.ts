import type { TypeSpec } from "@mimus/qom";
import { lazy, onOff as flag, size as byteCount, u64 } from "@mimus/qom";
import { z } from "zod";
import { BlockError } from "./errors.ts";
import { FileNode } from "./file-node.ts";
import type { HostFile, HostFiles } from "./host-file.ts";
import type { LockRequest } from "./lock.ts";
import type { BlockNode } from "./node.ts";
import { NullNode } from "./null-node.ts";

/** What a protocol gets from its graph. */
export interface ProtocolContext {
  /** node-name of the node being opened. */
  readonly name: string;
  readonly readOnly: boolean;
  /** The only way to files of the host. */
  readonly files: HostFiles;
  /** Past the host's cache (cache.direct). */
  readonly direct?: boolean;
  /** The lock that a file takes against other processes, for a node that is read-only or not. */
  readonly lock: (readOnly: boolean) => LockRequest;
  /** Waits this many nanoseconds of host time; absent = no waiting. */
  readonly delay?: (ns: number) => Promise<void>;
  /** Services that the application injected for protocols of other packages (sockets, fetch), by name. */
  readonly services: Readonly<Record<string, unknown>>;
}

/** A protocol: bytes from outside. A type of kind "block-protocol". */
export interface BlockProtocol extends TypeSpec {
  readonly kind: "block-protocol";
  readonly class: Readonly<Record<string, unknown>> & { readonly protocol: ProtocolOps };
}

/** The erased operations of a protocol. */
export interface ProtocolOps {
  /** Opens what the options name. @throws BlockError */
  readonly open: (options: never, ctx: ProtocolContext) => Promise<BlockNode>;
  /** Options for a name such as "nbd://host/export"; absent = the protocol has no such names. */
  readonly parse?: (filename: string) => Record<string, unknown>;
  /** Makes (or empties) what the name means and opens it for writing; absent = it must be there. */
  readonly create?: (filename: string, ctx: ProtocolContext) => Promise<BlockNode>;
}

/** Declares a protocol. */
export function defineProtocol<O extends z.ZodObject>(spec: {
  readonly name: string;
  readonly summary: string;
  /** A function: made when the first node of the kind is opened. */
  readonly options: O | (() => O);
  readonly open: (options: z.output<O>, ctx: ProtocolContext) => Promise<BlockNode>;
  readonly parse?: (filename: string) => Record<string, unknown>;
  readonly create?: (filename: string, ctx: ProtocolContext) => Promise<BlockNode>;
}): BlockProtocol {
  const protocol: ProtocolOps = {
    open: spec.open,
    ...(spec.parse ? { parse: spec.parse } : {}),
    ...(spec.create ? { create: spec.create } : {}),
  };
  const props = lazy(spec.options);
  return {
    ...{ name: spec.name, kind: "block-protocol", summary: spec.summary, class: { protocol } },
    get props() {
      return props();
    },
  };
}

const fileOptions = lazy(() =>
  z.strictObject({
    filename: z.string().min(1).describe("path of the file"),
    locking: z
      .union([z.literal("auto"), flag])
      .default("auto")
      .describe("lock the file against other processes"),
    aio: z.enum(["threads", "native", "io_uring"]).default("threads").describe("accepted; the host chooses"),
    "drop-cache": flag.default(true).describe("accepted; the host chooses"),
    "x-check-cache-dropped": flag.default(false),
  }),
);

function opener(files: HostFiles, path: string): (writable: boolean, direct: boolean) => Promise<HostFile> {
  return (writable, direct) => files.open(path, { writable, ...(direct ? { direct } : {}) });
}

/** A file of the host. */
export const file: BlockProtocol = defineProtocol({
  name: "file",
  summary: "A file of the host",
  options: fileOptions,
  async open({ filename, locking }, ctx) {
    const { readOnly, lock, direct = false } = ctx;
    const again = opener(ctx.files, filename);
    const how = { readOnly, direct, locking: locking !== false, lock, again };
    return FileNode.open(ctx.name, await again(!readOnly, direct), how);
  },
});

function hostDevice(name: string, summary: string): BlockProtocol {
  return defineProtocol({
    name,
    summary,
    options: fileOptions,
    async open({ filename, locking }, ctx) {
      const again = opener(ctx.files, filename);
      const { lock, direct = false } = ctx;
      const readOnly = ctx.readOnly || name === "host_cdrom";
      const file = await again(!readOnly, direct);
      if (file.fixedSize !== true) {
        await file.close();
        throw new BlockError("bad-option", `'${filename}' is no device: use driver=file`);
      }
      return FileNode.open(ctx.name, file, { readOnly, direct, locking: locking !== false, lock, again });
    },
  });
}

/** A disk of the host. */
export const hostDeviceProtocol: BlockProtocol = hostDevice("host_device", "A disk of the host");
/** A CD drive of the host, read-only. */
export const hostCdrom: BlockProtocol = hostDevice("host_cdrom", "A CD drive of the host");

function nullProtocol(name: string): BlockProtocol {
  return defineProtocol({
    name,
    summary: "Discards writes; reads give nothing, or zeroes",
    options: () =>
      z.strictObject({
        filename: z.string().optional(),
        size: byteCount.default(1 << 30).describe("bytes"),
        "latency-ns": u64.default(0).describe("time that each request takes, nanoseconds"),
        "read-zeroes": flag.default(false).describe("reads give zeroes; otherwise the buffer is left as it is"),
      }),
    async open(o, ctx) {
      const ns = o["latency-ns"];
      const { delay } = ctx;
      return new NullNode(ctx.name, {
        driver: name,
        size: Math.floor(o.size / 512) * 512,
        zeroes: o["read-zeroes"],
        readOnly: ctx.readOnly,
        ...(ns > 0 && delay ? { wait: () => delay(ns) } : {}),
      });
    },
    parse: () => ({}),
  });
}

/** Discards writes; reads give zeroes or nothing. */
export const nullCo: BlockProtocol = nullProtocol("null-co");
/** The same under its other name. */
export const nullAio: BlockProtocol = nullProtocol("null-aio");
