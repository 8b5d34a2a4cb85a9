/** Error numbers of system calls. Source: Linux, include/uapi/asm-generic/errno-base.h and errno.h (numbers). */
export const E = {
  PERM: 1, NOENT: 2, SRCH: 3, INTR: 4, IO: 5, NXIO: 6, TOOBIG: 7, NOEXEC: 8, BADF: 9, CHILD: 10, AGAIN: 11,
  NOMEM: 12, ACCES: 13, FAULT: 14, NOTBLK: 15, BUSY: 16, EXIST: 17, XDEV: 18, NODEV: 19, NOTDIR: 20, ISDIR: 21,
  INVAL: 22, NFILE: 23, MFILE: 24, NOTTY: 25, TXTBSY: 26, FBIG: 27, NOSPC: 28, SPIPE: 29, ROFS: 30, MLINK: 31,
  PIPE: 32, DOM: 33, RANGE: 34, DEADLK: 35, NAMETOOLONG: 36, NOLCK: 37, NOSYS: 38, NOTEMPTY: 39, LOOP: 40,
  NOMSG: 42, IDRM: 43, NODATA: 61, TIME: 62, OVERFLOW: 75, BADMSG: 74, ILSEQ: 84, USERS: 87, NOTSOCK: 88, DESTADDRREQ: 89,
  MSGSIZE: 90, PROTOTYPE: 91, NOPROTOOPT: 92, PROTONOSUPPORT: 93, SOCKTNOSUPPORT: 94, OPNOTSUPP: 95,
  PFNOSUPPORT: 96, AFNOSUPPORT: 97, ADDRINUSE: 98, ADDRNOTAVAIL: 99, NETDOWN: 100, NETUNREACH: 101,
  NETRESET: 102, CONNABORTED: 103, CONNRESET: 104, NOBUFS: 105, ISCONN: 106, NOTCONN: 107, SHUTDOWN: 108,
  TIMEDOUT: 110, CONNREFUSED: 111, HOSTDOWN: 112, HOSTUNREACH: 113, ALREADY: 114, INPROGRESS: 115, STALE: 116,
  DQUOT: 122, CANCELED: 125, OWNERDEAD: 130, NOTRECOVERABLE: 131,
} as const; // prettier-ignore

/** Results (negated) that never reach the guest: they say what happens to a call that a signal interrupted. */
export const RESTART = {
  /** Again when the handler has SA_RESTART, else EINTR. */
  sys: 512,
  /** Again always. */
  noIntr: 513,
  /** Again only when no handler ran, else EINTR. */
  noHand: 514,
  /** As `noHand`; the call is repeated through `restart_syscall` with what is left of its time. */
  block: 516,
} as const;

/** `EINVAL` for 22; `errno 999` for a number without a name. */
export function errnoName(number: number): string {
  for (const [name, value] of Object.entries(E)) if (value === number) return `E${name}`;
  return `errno ${number}`;
}

const known: Map<number, Errno> = new Map();

/** Thrown by what a system call is made of; the dispatcher turns it into the call's result. */
export class Errno extends Error {
  override readonly name = "Errno";
  readonly kind = "errno";
  /** Positive number, one of {@link E}. */
  readonly number: number;

  private constructor(number: number) {
    super(errnoName(number));
    this.number = number;
  }

  /** The one instance for a number: making an Error anew for each failing call would cost a stack trace. */
  static of(number: number): Errno {
    let one = known.get(number);
    if (one === undefined) known.set(number, (one = new Errno(number)));
    return one;
  }
}

/** Fails the current system call with an error number. */
export function fail(number: number): never {
  throw Errno.of(number);
}
