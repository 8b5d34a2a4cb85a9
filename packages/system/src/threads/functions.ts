/** What a vCPU's thread asks of the machine; numbers from `CPU_FUNCTIONS` on are the CPU type's. */
export const ASK = { lookup: 0, read: 1, write: 2, readWide: 3, writeWide: 4 } as const;

/** Orders to a vCPU's thread: the CPU type's own are passed on with their values. */
export const ORDER = { nothing: 0, irq: 1, cpu: 2 } as const;
