import { nodeSockets } from "@mimus/host-node";
import { type ExportInfo, FLAG, Haggle, type StreamAddress, type TlsCredentials } from "@mimus/nbd";

const FLAGS: readonly (readonly [number, string])[] = [
  [FLAG.READ_ONLY, "readonly"],
  [FLAG.SEND_FLUSH, "flush"],
  [FLAG.SEND_FUA, "fua"],
  [FLAG.ROTATIONAL, "rotational"],
  [FLAG.SEND_TRIM, "trim"],
  [FLAG.SEND_WRITE_ZEROES, "zeroes"],
  [FLAG.SEND_DF, "df"],
  [FLAG.CAN_MULTI_CONN, "multi"],
  [FLAG.SEND_RESIZE, "resize"],
  [FLAG.SEND_CACHE, "cache"],
  [FLAG.SEND_FAST_ZERO, "fast-zero"],
];

/** What `mimus nbd --list` prints: each export of a server. @throws NbdError */
export async function listExports(
  address: StreamAddress,
  tls: TlsCredentials | undefined,
  tlsHostname: string | undefined,
): Promise<string> {
  const stream = await nodeSockets.connect(address);
  const haggle = await Haggle.begin(stream, { tls, tlsHostname });
  const exports = await haggle.list();
  let text = `exports available: ${exports.length}\n`;
  for (const { name, description } of exports) {
    const info = await haggle.info(name);
    const contexts = await haggle.listContexts(name);
    text += describe({ ...info, ...(description === undefined ? {} : { description }) }, contexts);
  }
  haggle.abort();
  return text;
}

function describe(of: ExportInfo, contexts: readonly string[]): string {
  const names = FLAGS.flatMap(([bit, name]) => (of.flags & bit ? [name] : []));
  const lines = [
    ` export: '${of.name}'`,
    ...(of.description === undefined || of.description === "" ? [] : [`  description: ${of.description}`]),
    `  size:  ${of.size}`,
    ...(of.flags === 0 ? [] : [`  flags: 0x${of.flags.toString(16)} ( ${names.map((n) => `${n} `).join("")})`]),
    `  min block: ${of.minimum}`,
    `  opt block: ${of.preferred}`,
    `  max block: ${of.maximum}`,
    ...(contexts.length === 0 ? [] : [`  available meta contexts: ${contexts.length}`]),
    ...contexts.map((name) => `   ${name}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
