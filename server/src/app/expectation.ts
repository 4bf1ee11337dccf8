import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';

/** Has a client that waits for it (`Expect: 100-continue`, RFC 9110 §10.1.1) send its body: once nothing else speaks against it. */
export function invite({ headers, httpVersion }: IncomingMessage, response: ServerResponse): void {
  if (headers.expect !== undefined && httpVersion !== '1.0' && !response.headersSent) response.writeContinue();
}

/**
 * Before a refusal: reads and forgets what is left of a body whose connection ends with the answer. Many clients read the
 * answer after their last byte only, and would see a broken connection in its place. One that waits to be invited does not.
 */
export async function hearOut(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (response.shouldKeepAlive || request.headers.expect !== undefined || request.readableEnded) return;
  request.resume();
  await finished(request, { writable: false }).catch(() => {});
}
