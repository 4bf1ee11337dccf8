import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getSecure } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Settings } from './settings.ts';

/** What the server that has these settings says of itself. */
export interface OwnHealth {
  readonly well: boolean;
  /** A sentence; where it is not well, why. */
  readonly says: string;
}

/** Milliseconds: a server that takes longer cannot be said to serve. */
const PATIENCE = 5_000;
const EVERY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Asks at the address that these settings listen at: whether it takes requests, or with `live` only whether it answers. */
export async function ownHealth(settings: Pick<Settings, 'listen' | 'tls'>, live: boolean): Promise<OwnHealth> {
  const { host, port } = settings.listen;
  if (port === 0) return { well: false, says: 'with port 0 it listens where only its log says' };
  const at = EVERY_ADDRESS[host] ?? host;
  const address = `${settings.tls ? 'https' : 'http'}://${at.includes(':') ? `[${at}]` : at}:${port}`;
  try {
    const response = await answerOf(`${address}${live ? '/health/live' : '/ready'}`);
    const { reason } = JSON.parse(await text(response)) as { readonly reason?: unknown };
    if (response.statusCode === 200) return { well: true, says: `${address} ${live ? 'answers' : 'takes requests'}` };
    return {
      well: false,
      says: `${address} takes no requests: ${typeof reason === 'string' ? reason : 'it does not say why'}`,
    };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { well: false, says: `there is no answer from ${address} (${code ?? message})` };
  }
}

/** The certificate names what clients use, which is not how it is asked here. */
function answerOf(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { timeout: PATIENCE, agent: false };
    const request = url.startsWith('https:')
      ? getSecure(url, { ...options, rejectUnauthorized: false }, resolve)
      : getPlain(url, options, resolve);
    request.once('error', reject).once('timeout', () => request.destroy(new Error(`none within ${PATIENCE} ms`)));
  });
}
