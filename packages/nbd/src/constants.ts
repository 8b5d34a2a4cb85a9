// Numbers of the protocol. Source: the NBD protocol (doc/proto.md of the NetworkBlockDevice project, 2023), section "Values".

/** Magic numbers as two halves of 32 bits, or one. Source: sections "Newstyle negotiation", "Transmission phase". */
export const MAGIC = {
  /** "NBDMAGIC" */
  init: [0x4e42444d, 0x41474943],
  /** "IHAVEOPT" */
  option: [0x49484156, 0x454f5054],
  optionReply: [0x0003e889, 0x045565a9],
  /** Oldstyle negotiation, where "IHAVEOPT" stands in the new one. */
  oldstyle: [0x00004202, 0x81861253],
  request: 0x25609513,
  simpleReply: 0x67446698,
  structuredReply: 0x668e33ef,
} as const;

/** Flags of the handshake, of both sides. Source: section "Handshake flags". */
export const HANDSHAKE = { fixedNewstyle: 1, noZeroes: 2 } as const;

/** Options that a client may send. Source: section "Option types". */
export const OPT = {
  EXPORT_NAME: 1,
  ABORT: 2,
  LIST: 3,
  STARTTLS: 5,
  INFO: 6,
  GO: 7,
  STRUCTURED_REPLY: 8,
  LIST_META_CONTEXT: 9,
  SET_META_CONTEXT: 10,
  EXTENDED_HEADERS: 11,
} as const;

/** Replies to options; errors have bit 31. Source: section "Option reply types". */
export const REP = {
  ACK: 1,
  SERVER: 2,
  INFO: 3,
  META_CONTEXT: 4,
  ERR_UNSUP: 0x80000001,
  ERR_POLICY: 0x80000002,
  ERR_INVALID: 0x80000003,
  ERR_PLATFORM: 0x80000004,
  ERR_TLS_REQD: 0x80000005,
  ERR_UNKNOWN: 0x80000006,
  ERR_SHUTDOWN: 0x80000007,
  ERR_BLOCK_SIZE_REQD: 0x80000008,
  ERR_TOO_BIG: 0x80000009,
  ERR_EXT_HEADER_REQD: 0x8000000a,
} as const;

/** Kinds of information about an export. Source: section "Option reply types", NBD_REP_INFO. */
export const INFO = { EXPORT: 0, NAME: 1, DESCRIPTION: 2, BLOCK_SIZE: 3 } as const;

/** What an export can do. Source: section "Transmission flags". */
export const FLAG = {
  HAS_FLAGS: 1,
  READ_ONLY: 2,
  SEND_FLUSH: 4,
  SEND_FUA: 8,
  ROTATIONAL: 16,
  SEND_TRIM: 32,
  SEND_WRITE_ZEROES: 64,
  SEND_DF: 128,
  CAN_MULTI_CONN: 256,
  SEND_RESIZE: 512,
  SEND_CACHE: 1024,
  SEND_FAST_ZERO: 2048,
} as const;

/** Request types. Source: section "Request types". */
export const CMD = {
  READ: 0,
  WRITE: 1,
  DISC: 2,
  FLUSH: 3,
  TRIM: 4,
  CACHE: 5,
  WRITE_ZEROES: 6,
  BLOCK_STATUS: 7,
} as const;

/** Flags of requests. Source: section "Command flags". */
export const CMD_FLAG = { FUA: 1, NO_HOLE: 2, DF: 4, REQ_ONE: 8, FAST_ZERO: 16 } as const;

/** Chunks of structured replies; errors have bit 15. Source: section "Structured reply types". */
export const CHUNK = {
  NONE: 0,
  OFFSET_DATA: 1,
  OFFSET_HOLE: 2,
  BLOCK_STATUS: 5,
  ERROR: 0x8001,
  ERROR_OFFSET: 0x8002,
} as const;

/** The last chunk of a reply. Source: section "Structured reply flags". */
export const CHUNK_DONE = 1;

/** Error numbers of replies. Source: section "Error values". */
export const ERRNO = {
  EPERM: 1,
  EIO: 5,
  ENOMEM: 12,
  EINVAL: 22,
  ENOSPC: 28,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  ESHUTDOWN: 108,
} as const;

/** Bits of the context `base:allocation`. Source: section "base:allocation metadata context". */
export const ALLOCATION = { HOLE: 1, ZERO: 2 } as const;

/** Bytes of names and other strings. Source: section "Values": a string SHOULD be at most 4096 bytes. */
export const MAX_STRING = 4096;
/** Bytes that one request may carry. Source: section "Block size constraints": 32 MiB unless something else is agreed. */
export const MAX_REQUEST: number = 32 << 20;
/** Bytes of an option's data that are looked at: longer ones are answered with ERR_TOO_BIG. */
export const MAX_OPTION: number = 1 << 16;
