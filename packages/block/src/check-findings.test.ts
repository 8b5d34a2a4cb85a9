import { expect, test } from "vitest";
import { CheckFindings } from "./check-findings.ts";

test("a report holds the counts, the totals of the format, and a line for each finding", () => {
  const found = new CheckFindings();
  found.corrupt("ERROR cluster 3 is outside image");
  found.leak(2, "Leaked 2 clusters");
  expect(found.report({ totalClusters: 8 })).toEqual({
    corruptions: 1,
    corruptionsFixed: 0,
    leaks: 2,
    leaksFixed: 0,
    checkErrors: 0,
    totalClusters: 8,
    messages: ["ERROR cluster 3 is outside image", "Leaked 2 clusters"],
  });
});

test("at most 1000 lines are kept, and everything is counted", () => {
  const found = new CheckFindings();
  for (let i = 0; i < 1500; i++) found.corrupt(`ERROR ${i}`);
  const { corruptions, messages } = found.report();
  expect(corruptions).toBe(1500);
  expect(messages).toHaveLength(1000);
  expect(messages.at(-1)).toBe("ERROR 999");
});
