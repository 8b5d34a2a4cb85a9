/** A machine for a test sequence, from the part of QEMU's command line that such sequences use. */
import { BlockBackend, BlockGraph } from "@mimus/block";
import { NullChar } from "@mimus/chardev";
import { machineInfo } from "@mimus/machine-core";
import { parseSize } from "@mimus/qom";
import { assemble, type DeviceRequest, type System, type SystemHost } from "@mimus/system";
import { nodeHost } from "../tools/host.ts";
import { firmware, pcRegistry } from "../tools/pc-plugins.ts";
import { riscvRegistry } from "../tools/plugins.ts";

/** What such a machine cannot be built from; the message says what is missing. */
export class Unavailable extends Error {}

export async function buildMachine(target: string, args: string, host: SystemHost = nodeHost()): Promise<System> {
  const isPc = target === "x86_64" || target === "i386";
  const registry = isPc ? pcRegistry() : riscvRegistry();
  const words = splitWords(args);
  const options = new Map<string, string[]>();
  for (let i = 0; i < words.length; i++) {
    const name = (words[i] as string).replace(/^--?/, "");
    if (["nographic", "nodefaults", "S"].includes(name)) continue;
    options.set(name, [...(options.get(name) ?? []), words[++i] ?? ""]);
  }
  const [machine = "pc", ...machineProps] = (options.get("M")?.[0] ?? options.get("machine")?.[0] ?? "pc").split(",");
  const machines = registry.known("machine");
  const named = (k: (typeof machines)[number]): boolean =>
    k.name === machine || (k.type !== undefined && machineInfo(k.type).aliases?.includes(machine) === true);
  const type = machines.find(named)?.name;
  if (type === undefined) throw new Unavailable(`machine ${machine}`);
  const devices: DeviceRequest[] = (options.get("device") ?? []).map((text) => {
    const [driver = "", ...rest] = text.split(",");
    const { id, bus, ...props } = Object.fromEntries(rest.map(pair)) as Record<string, string>;
    if (!registry.known("device").some((k) => k.name === driver)) throw new Unavailable(`device ${driver}`);
    return { driver, props, ...(id === undefined ? {} : { id }), ...(bus === undefined ? {} : { bus }) };
  });
  const graph = new BlockGraph({ registry } as never);
  const backends: [string, string, object][] = [];
  for (const text of options.get("blockdev") ?? []) {
    const node = await graph.open(Object.fromEntries(text.split(",").map(pair)));
    backends.push(["drive", node.name, new BlockBackend(node.name, node)]);
  }
  for (const text of options.get("chardev") ?? []) {
    const [type, id] = [text.split(",")[0], /id=([^,]+)/.exec(text)?.[1] ?? ""];
    if (type !== "null") throw new Unavailable(`chardev ${type}`);
    backends.push(["chardev", id, new NullChar(id)]);
  }
  return assemble({
    registry,
    host,
    target,
    machine: type,
    machineProps: Object.fromEntries(machineProps.map(pair)),
    ram: parseSize(options.get("m")?.[0]?.replace(/^(\d+)$/, "$1M") ?? "128M") ?? 2 ** 27,
    smp: Number(options.get("smp")?.[0] ?? 1),
    accel: "qtest",
    ...(isPc ? { firmwareFiles: firmware, bios: firmware.read("bios-256k.bin") as Uint8Array } : {}),
    board: { noDefaults: words.some((w) => /^--?nodefaults$/.test(w)), vga: options.get("vga")?.at(-1) ?? "none" },
    devices,
    backends,
  });
}

function pair(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, "on"] : [text.slice(0, at), text.slice(at + 1)];
}

/** Words of a shell line: quotes hold blanks together. */
function splitWords(line: string): string[] {
  return (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((w) => w.replace(/^(['"])(.*)\1$/, "$2"));
}
