import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** One package of the benchmark: a packument of about so many bytes, and a tarball of so many. */
export interface Sample {
  readonly name: string;
  readonly packument: number;
  readonly tarball: number;
}

export interface BenchUpstream {
  readonly url: string;
  /** Requests so far, by path. */
  readonly requests: Map<string, number>;
  close(): Promise<void>;
}

/** An npm registry with a few packages of given sizes, as plain as can be: what is measured is what stands before it. */
export async function startUpstream(samples: readonly Sample[]): Promise<BenchUpstream> {
  const requests = new Map<string, number>();
  const answers = new Map<string, { readonly body: Buffer; readonly gzip?: Buffer; readonly type: string }>();
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    requests.set(path, (requests.get(path) ?? 0) + 1);
    const answer = answers.get(path);
    if (!answer) {
      response.writeHead(404).end();
      return;
    }
    const packed = answer.gzip !== undefined && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    const body = packed ? answer.gzip : answer.body;
    const etag = `"${createHash('sha1').update(body.subarray(0, 4096)).digest('hex')}"`;
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end();
      return;
    }
    response.writeHead(200, {
      'content-type': answer.type,
      'content-length': body.length,
      ...(packed ? { 'content-encoding': 'gzip' } : {}),
      etag,
      'cache-control': 'max-age=3600',
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const sample of samples) {
    const tarball = randomBytes(sample.tarball);
    answers.set(`/${sample.name}/-/${sample.name}-1.0.0.tgz`, { body: tarball, type: 'application/octet-stream' });
    const body = packument(sample, url, tarball);
    answers.set(`/${sample.name}`, { body, gzip: gzipSync(body), type: 'application/json' });
  }
  return {
    url,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function packument(sample: Sample, url: string, tarball: Buffer): Buffer {
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const versions: Record<string, unknown> = {};
  const time: Record<string, string> = { created: '2020-01-01T00:00:00.000Z', modified: '2024-01-01T00:00:00.000Z' };
  const add = (version: string) => {
    versions[version] = {
      name: sample.name,
      version,
      description: `release ${version} of a package for measuring`,
      dependencies: { a: '^1.0.0', b: '^2.0.0', c: '~3.1.0' },
      engines: { node: '>= 18' },
      dist: { tarball: `${url}/${sample.name}/-/${sample.name}-${version}.tgz`, integrity },
    };
    time[version] = '2022-01-01T00:00:00.000Z';
  };
  add('1.0.0');
  const text = () => JSON.stringify({ name: sample.name, 'dist-tags': { latest: '1.0.0' }, versions, time });
  const one = text().length;
  for (let patch = 1; one * 0.9 * patch < sample.packument - one; patch++) add(`0.${patch}.0`);
  return Buffer.from(text());
}
