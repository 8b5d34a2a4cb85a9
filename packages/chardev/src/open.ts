import type { CharBackend, CharHost, HostStream } from "./contract.ts";
import { NullChar } from "./null.ts";
import type { CharConfig } from "./options.ts";
import { socketAddress } from "./options.ts";
import { RingBufChar } from "./ringbuf.ts";
import { SocketChar } from "./socket.ts";
import { StreamChar } from "./stream.ts";
import { TeeChar } from "./tee.ts";

/** Opens the back end that `config` describes. @throws CharError */
export async function openChar(label: string, config: CharConfig, host: CharHost): Promise<CharBackend> {
  const backend = await openPlain(label, config, host);
  if (config.logfile === undefined) return backend;
  return new TeeChar(backend, await host.openOutput(config.logfile, { append: config.logappend }));
}

async function openPlain(label: string, config: CharConfig, host: CharHost): Promise<CharBackend> {
  switch (config.backend) {
    case "null":
      return new NullChar(label);
    case "ringbuf":
      return new RingBufChar(label, config.size);
    case "stdio":
      return new StreamChar(label, host.stdio({ signal: config.signal }));
    case "file": {
      const output = await host.openOutput(config.path, { append: config.append });
      const source = config["input-path"];
      return new StreamChar(label, source === undefined ? output : joined(await host.openInput(source), output));
    }
    case "pipe":
      return new StreamChar(
        label,
        joined(
          await host.openInput(`${config.path}.in`),
          await host.openOutput(`${config.path}.out`, { append: true }),
        ),
      );
    case "pty": {
      const { stream, name } = await host.pty();
      host.notice(`char device redirected to ${name} (label ${label})`);
      return new StreamChar(label, stream);
    }
    case "socket":
      return SocketChar.open(
        label,
        host,
        { address: socketAddress(config), server: config.server, reconnect: config.reconnect },
        config.server && (config.wait ?? true),
      );
  }
}

/** One stream of an input and an output. */
function joined(input: HostStream, output: HostStream): HostStream {
  return {
    write: (bytes) => output.write(bytes),
    onData: (listener) => input.onData(listener),
    onDrain: (listener) => output.onDrain(listener),
    onClose: (listener) => output.onClose(listener),
    pause: () => input.pause(),
    resume: () => input.resume(),
    close: async () => {
      await input.close();
      await output.close();
    },
  };
}
