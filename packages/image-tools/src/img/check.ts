import { type CheckRepair, type CheckReport, type GraphNode, oneLine } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { messageOf, ToolError, usage } from "../errors.ts";
import { prettyJson } from "../json.ts";
import type { Tools } from "../tools.ts";
import { isJson, oneName, openGiven, sourceCache } from "./given.ts";

const NO_CHECK = 63;

/** `check`: looks for errors in an image, and repairs them. */
export async function check(args: Arguments, tools: Tools): Promise<number> {
  const repair = (args.last("repair") ?? "none") as CheckRepair;
  if (args.has("repair") && repair !== "leaks" && repair !== "all")
    throw usage(`Unknown option value for -r (expecting 'leaks' or 'all'): ${repair}`);
  const json = isJson(args);
  const name = oneName(args);
  const cache = sourceCache(args);
  const node = await openGiven(args, tools, name, { writable: repair !== "none", cache });
  const { image } = node;
  if (image?.check === undefined) throw new ToolError("This image format does not support checks", { code: NO_CHECK });
  let report = await once(node, repair, tools);
  const quiet = args.has("quiet");
  if (report.leaksFixed + report.corruptionsFixed > 0) {
    if (!json && !quiet) tools.host.out(repairedText(report));
    const again = await once(node, "none", tools);
    report = { ...again, leaksFixed: report.leaksFixed, corruptionsFixed: report.corruptionsFixed };
  }
  if (!quiet) tools.host.out(json ? `${prettyJson(reportJson(report, name, node.driver))}\n` : reportText(report));
  if (report.corruptions > 0) return 2;
  if (report.leaks > 0) return 3;
  return report.checkErrors > 0 ? 1 : 0;
}

async function once(node: GraphNode, repair: CheckRepair, tools: Tools): Promise<CheckReport> {
  const check = node.image?.check;
  if (check === undefined) throw new ToolError("This image format does not support checks", { code: NO_CHECK });
  const report = await check.call(node.image, repair).catch((e: unknown) => {
    throw new ToolError(`Check failed: ${messageOf(e)}`, { cause: e });
  });
  for (const line of report.messages) tools.host.err(`${oneLine(line)}\n`);
  return report;
}

function repairedText(r: CheckReport): string {
  return (
    `The following inconsistencies were found and repaired:\n\n    ${r.leaksFixed} leaked clusters\n    ${r.corruptionsFixed} corruptions\n\n` +
    "Double checking the fixed image now...\n"
  );
}

function reportText(r: CheckReport): string {
  const percent = (part = 0, all = 0): string => ((part * 100) / all).toFixed(2);
  const { totalClusters: total = 0, allocatedClusters: taken = 0 } = r;
  return [
    r.corruptions + r.leaks + r.checkErrors === 0 ? "No errors were found on the image.\n" : "",
    r.corruptions === 0
      ? ""
      : `\n${r.corruptions} errors were found on the image.\nData may be corrupted, or further writes to the image may corrupt it.\n`,
    r.leaks === 0
      ? ""
      : `\n${r.leaks} leaked clusters were found on the image.\nThis means waste of disk space, but no harm to data.\n`,
    r.checkErrors === 0 ? "" : `\n${r.checkErrors} internal errors have occurred during the check.\n`,
    total === 0 || taken === 0
      ? ""
      : `${taken}/${total} = ${percent(taken, total)}% allocated, ${percent(r.fragmentedClusters, taken)}% fragmented, ${percent(r.compressedClusters, taken)}% compressed clusters\n`,
    (r.imageEndOffset ?? 0) === 0 ? "" : `Image end offset: ${r.imageEndOffset}\n`,
  ].join("");
}

function reportJson(r: CheckReport, filename: string, format: string): Record<string, unknown> {
  const some = (n: number | undefined): number | undefined => (n === 0 ? undefined : n);
  return {
    filename,
    format,
    "check-errors": r.checkErrors,
    "image-end-offset": some(r.imageEndOffset),
    corruptions: some(r.corruptions),
    leaks: some(r.leaks),
    "corruptions-fixed": some(r.corruptionsFixed),
    "leaks-fixed": some(r.leaksFixed),
    "total-clusters": some(r.totalClusters),
    "allocated-clusters": some(r.allocatedClusters),
    "fragmented-clusters": some(r.fragmentedClusters),
    "compressed-clusters": some(r.compressedClusters),
  };
}
