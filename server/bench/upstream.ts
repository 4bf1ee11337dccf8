import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, folderOf, type Sample } from './sample.ts';

export interface BenchUpstream {
  readonly url: string;
  close(): Promise<void>;
}

/** What the samples say, each below a folder of its own, as plain as can be: what is measured stands before it. */
export async function startUpstream(samples: readonly Sample[]): Promise<BenchUpstream> {
  const answers = new Map<string, Answer>();
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const answer = answers.get(decodeURIComponent(path));
    if (answer) send(answer, request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const sample of samples) {
    const folder = folderOf(sample);
    for (const [path, answer] of Object.entries(sample.answers(url + folder))) answers.set(folder + path, answer);
  }
  return {
    url,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send({ body: plain, gzip, type, headers }: Answer, request: IncomingMessage, response: ServerResponse): void {
  const packed = gzip !== undefined && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  const body = packed ? gzip : plain;
  const etag = `"${createHash('sha1').update(body.subarray(0, 4096)).digest('hex')}"`;
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { etag }).end();
    return;
  }
  response.writeHead(200, {
    ...headers,
    'content-type': type,
    'content-length': body.length,
    ...(packed ? { 'content-encoding': 'gzip' } : {}),
    etag,
    'cache-control': 'max-age=3600',
  });
  response.end(body);
}
