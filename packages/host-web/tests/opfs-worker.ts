/** Runs in a worker of the tests: opens, writes, and opens again. */
import { openOpfs } from "../src/opfs.ts";

const kind = (error: unknown): unknown => (error as { kind?: unknown }).kind ?? String(error);
const path = "tests/worker.img";
const file = await openOpfs(path, { writable: true, create: true });
await file.truncate(0);
await file.write(8192, new TextEncoder().encode("hello"));
await file.flush();
const second = await openOpfs(path, { writable: true }).catch(kind);
await file.close();
const again = await openOpfs(path, { writable: false });
const size = await again.size();
const into = new Uint8Array(5);
await again.read(8192, into);
await again.close();
const absent = await openOpfs("tests/none.img", { writable: false }).catch(kind);
postMessage({ second, size, text: new TextDecoder().decode(into), absent });
