/** Bytes that a PS/2 device holds for the controller. Answers to commands go before what keys and movements made. */
export class ByteQueue {
  readonly #most: number;
  #answers: number[] = [];
  #events: number[] = [];

  /** `most`: events' bytes, the device's own buffer. */
  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#answers.length + this.#events.length;
  }

  /** Bytes of events that still fit. */
  get room(): number {
    return this.#most - this.#events.length;
  }

  /** Bytes of answers; a command takes back what an earlier one still has to say. */
  answer(...bytes: number[]): void {
    this.#answers = bytes;
  }

  /** Appends to an answer that is being given. */
  answerMore(...bytes: number[]): void {
    if (this.#answers.length + bytes.length <= 16) this.#answers.push(...bytes);
  }

  /** All bytes or none. @returns whether they fit */
  event(bytes: readonly number[]): boolean {
    if (bytes.length > this.room) return false;
    this.#events.push(...bytes);
    return true;
  }

  take(): number | undefined {
    return this.#answers.shift() ?? this.#events.shift();
  }

  clear(): void {
    this.#answers = [];
    this.#events = [];
  }

  save(): { answers: number[]; events: number[] } {
    return { answers: [...this.#answers], events: [...this.#events] };
  }

  load({ answers, events }: { answers: readonly number[]; events: readonly number[] }): void {
    this.#answers = [...answers];
    this.#events = [...events];
  }
}
