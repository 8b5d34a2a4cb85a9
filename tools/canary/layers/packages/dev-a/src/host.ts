import { readFileSync } from "node:fs";
import os from "os";
export { readFileSync, os };
