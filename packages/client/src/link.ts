/** One WebSocket, from its opening to its one end. */
export interface Link {
  send(message: object): void;
  /** Nothing more is heard of it. */
  close(): void;
}

export interface LinkHandlers {
  onMessage(message: Readonly<Record<string, unknown>> & { readonly type: string }): void;
  onFrame(bytes: ArrayBuffer): void;
  /** At most once, and not after `close`. */
  onBroken(error: BrokenLinkError): void;
}

export class BrokenLinkError extends Error {
  override readonly name = 'BrokenLinkError';
  /** As the WebSocket was closed with. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export function openLink(url: string, Socket: typeof WebSocket, handlers: LinkHandlers): Link {
  const socket = new Socket(url);
  socket.binaryType = 'arraybuffer';
  let over = false;

  function end(): void {
    over = true;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // A socket that fails after it was left still says so.
    socket.onerror = () => {};
    socket.close();
  }

  function broken(code: number, message: string): void {
    if (over) return;
    end();
    handlers.onBroken(new BrokenLinkError(code, message));
  }

  socket.onclose = ({ code, reason }) =>
    broken(code, reason || `the connection to ${url} was closed (${code})`);
  socket.onerror = () => broken(1006, `${url} does not answer`);
  socket.onmessage = ({ data }: { data: unknown }) => {
    if (over) return;
    if (data instanceof ArrayBuffer) return handlers.onFrame(data);
    let message: unknown;
    try {
      message = JSON.parse(String(data));
    } catch {
      return broken(1002, `${url} sent what is not JSON`);
    }
    if (typeof (message as { type?: unknown } | null)?.type !== 'string')
      return broken(1002, `${url} sent a message without a type`);
    handlers.onMessage(message as Parameters<LinkHandlers['onMessage']>[0]);
  };

  return {
    send(message) {
      if (!over && socket.readyState === Socket.OPEN) socket.send(JSON.stringify(message));
    },
    close() {
      if (!over) end();
    },
  };
}
