import type { PluginIndex } from "@mimus/qom";

export const HINTS: PluginIndex = new Map();
