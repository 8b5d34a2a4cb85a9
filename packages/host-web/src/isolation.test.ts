import { expect, inject, test } from "vitest";

/** Told by the browser runs only. */
const isolated = inject("isolated" as never) as boolean | undefined;

test.skipIf(isolated === undefined)(
  "the page is isolated in the run that says so, and only there (in a browser only)",
  () => {
    expect(globalThis.crossOriginIsolated).toBe(isolated);
    expect(typeof SharedArrayBuffer !== "undefined").toBe(isolated);
  },
);
