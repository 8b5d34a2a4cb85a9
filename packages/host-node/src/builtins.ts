/** Modules of Node that few commands need, loaded when they are used: `tls` alone takes 6 ms of a cold start. */
export const late = {
  get crypto(): typeof import("node:crypto") {
    return process.getBuiltinModule("node:crypto");
  },
  get http(): typeof import("node:http") {
    return process.getBuiltinModule("node:http");
  },
  get https(): typeof import("node:https") {
    return process.getBuiltinModule("node:https");
  },
  get tls(): typeof import("node:tls") {
    return process.getBuiltinModule("node:tls");
  },
  get zlib(): typeof import("node:zlib") {
    return process.getBuiltinModule("node:zlib");
  },
};
