/** What a device (the front end) offers to the character device it is attached to. */
export interface CharFrontend {
  /** How many bytes {@link CharFrontend.receive} would take now; 0 holds input back. */
  canReceive(): number;
  /** Takes input; never more bytes than {@link CharFrontend.canReceive} allowed. */
  receive(bytes: Uint8Array): void;
  /** The far end opened, closed, or sent a break. */
  event?(event: CharEvent): void;
  /** The back end takes output again after it accepted less than it was given. */
  writable?(): void;
}

/** What happened at the far end. */
export type CharEvent = "opened" | "closed" | "break";

/** A byte stream to the outside: what `-chardev` creates and a serial port, a console or a monitor uses. */
export interface CharBackend {
  /** False while nobody is at the far end (a socket without a client). */
  readonly open: boolean;
  /** Sends bytes. @returns how many were accepted; the rest is offered again after `writable`. */
  write(bytes: Uint8Array): number;
  /** Makes `frontend` the receiver of input. @throws CharError "busy" when another one is attached. */
  attach(frontend: CharFrontend): void;
  /** Takes the receiver of input away; nothing happens when it is another one. */
  detach(frontend: CharFrontend): void;
  /** Called by the front end when it can take input again: delivers what was held back. */
  frontendReady(): void;
  /** Releases the host resource; what was written before is delivered. */
  close(): Promise<void>;
}

/** A two-way byte stream of the host. */
export interface HostStream {
  /** @returns false when the host's buffer is full; `onDrain` tells when it is not. */
  write(bytes: Uint8Array): boolean;
  /** Sets the receiver of input. */
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Called when `write` may go on. */
  onDrain(listener: () => void): void;
  /** Called once, when nothing more comes in. */
  onClose(listener: () => void): void;
  /** Stops and restarts input, so that a slow guest holds the sender back. */
  pause(): void;
  resume(): void;
  /** Delivers what was written, and closes. */
  close(): Promise<void>;
}

/** Where a socket listens or connects to. */
export type SocketAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "fd"; readonly fd: number };

/** The host's side of character devices, implemented by `host-node` and `host-web`. */
export interface CharHost {
  /** The process's own terminal; raw unless `signal` leaves Ctrl-C to the host. */
  stdio(options: { signal: boolean }): HostStream;
  /** A file to write to; it is made when it is not there. Rejects with the host's error. */
  openOutput(path: string, options: { append: boolean }): Promise<HostStream>;
  /** A file to read from. Rejects with the host's error. */
  openInput(path: string): Promise<HostStream>;
  /** A new pseudo-terminal and the name of its slave. */
  pty(): Promise<{ stream: HostStream; name: string }>;
  /** A connection to a server. Rejects with the host's error. */
  connect(address: SocketAddress): Promise<HostStream>;
  /** Waits for clients; `description`: the address for people, with the port that was chosen. */
  listen(
    address: SocketAddress,
    onClient: (stream: HostStream) => void,
  ): Promise<{ close(): Promise<void>; description: string }>;
  /** Milliseconds timer, for reconnection. */
  after(milliseconds: number, callback: () => void): void;
  /** One line for the user, e.g. the name of a new pseudo-terminal. */
  notice(line: string): void;
}
