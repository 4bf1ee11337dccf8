import type { AddressInfo, Server, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { createUpstream, type UpstreamOptions } from './http-upstream.ts';
import type { Route, Upstream, UpstreamError, UpstreamRequest, UpstreamResponse } from './upstream.ts';

/** Listens on loopback until the test ends; the port. */
export async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
}

/** An upstream that waits little and finds every name on loopback. */
export function anUpstream(options: Partial<UpstreamOptions> = {}): Upstream {
  const upstream = createUpstream({
    userAgent: 'entrepot/0 (+https://entrepot.test)',
    lookup: async () => [{ address: '127.0.0.1', family: 4 }],
    ...options,
    retrying: { delay: 1, ...options.retrying },
  });
  onTestFinished(() => upstream.close());
  return upstream;
}

/** To loopback, which is a private network. */
function routeTo(url: string, parts: Partial<Route> = {}): Route {
  return {
    origin: new URL(url).origin,
    headers: {},
    allowPrivateNetwork: true,
    timeouts: { connect: 5000, headers: 5000, idle: 5000 },
    ...parts,
  };
}

export function get(
  upstream: Upstream,
  url: string,
  route: Partial<Route> = {},
  request: Partial<UpstreamRequest> = {},
): Promise<UpstreamResponse> {
  return upstream.request({ url, route: routeTo(url, route), ...request });
}

export async function read(response: UpstreamResponse, limit?: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body(limit)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function text(answer: Promise<UpstreamResponse>): Promise<string> {
  return (await read(await answer)).toString();
}

export async function failure(outcome: Promise<unknown>): Promise<UpstreamError> {
  return outcome.then(
    () => {
      throw new Error('there was an answer');
    },
    (error: UpstreamError) => error,
  );
}

/** For `upstream.test` and all below it; its own authority. Made for these tests and used nowhere. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBfzCCASSgAwIBAgIBATAKBggqhkjOPQQDAjAYMRYwFAYDVQQDDA11cHN0cmVh
bS50ZXN0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAYMRYwFAYD
VQQDDA11cHN0cmVhbS50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELS1w
wOexa4wz0S+wCMWjBEPPwYAYqXm96vuc6fzuydwIj/Gon+Wd6pLZdeZZar8bcI7C
LFNCmzKAuiUkLAiOkaNdMFswDwYDVR0TAQH/BAUwAwEB/zApBgNVHREEIjAggg11
cHN0cmVhbS50ZXN0gg8qLnVwc3RyZWFtLnRlc3QwHQYDVR0OBBYEFKuf0jF8Tj21
vfxmGFZsA7PLDvOBMAoGCCqGSM49BAMCA0kAMEYCIQDRYTfnaMvGFwrYmV0TPlo8
ShcscB5W0U6oRJ4Ly+ES1QIhAPBxNke/IvoFNzH8257syLWnAJmhD9f5tv7gKtUg
SUqa
-----END CERTIFICATE-----
`;

export const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3yHQmWqdxHJBrCJ+
9fBs6u8TSN6nZ7oZbp1mkzBj9CyhRANCAAQtLXDA57FrjDPRL7AIxaMEQ8/BgBip
eb3q+5zp/O7J3AiP8aif5Z3qktl15llqvxtwjsIsU0KbMoC6JSQsCI6R
-----END PRIVATE KEY-----
`;
