import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { protocols } from "./protocol.ts";

export type { HttpBody, HttpFetch, HttpRequest, HttpResponse } from "./fetch.ts";

/** Images over HTTP and HTTPS. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-http", types: [...protocols] });
export default plugin;
