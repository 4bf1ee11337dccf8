import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { S3Store } from './s3.ts';
import { IN_PARTS } from './s3-upload.ts';
import { consume, put, sample, sha256 } from './store.contract.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const bytes = sample(3_000_000);
const digest = sha256(bytes);
const SECRET = 'wJalrXUtnFEMI';

let server: Server;
let data: string;
let store: S3Store | undefined;
/** `GET /bucket/blobs/sha256/…` without the hex, in their order. */
let asked: string[];
let answer: Answer;

beforeEach(async () => {
  asked = [];
  data = await mkdtemp(join(tmpdir(), 'entrepot-s3-'));
  server = createServer((request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    asked.push(`${request.method} ${path.replace(/\/[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]{64}/, '/…')}`);
    if (path.startsWith('/bucket/blobs')) answer(request, response);
    else if (query.includes('uploads'))
      xml(response, 200, 'ListMultipartUploadsResult', '<IsTruncated>false</IsTruncated>');
    else answerList(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  await store?.close();
  server.closeAllConnections();
  server.close();
  await rm(data, { recursive: true });
  answerList = emptyList;
});

function xml(response: ServerResponse, status: number, name: string, inner: string): void {
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<?xml version="1.0"?><${name}>${inner}</${name}>`);
}

const emptyList: Answer = (_, response) => xml(response, 200, 'ListBucketResult', '<IsTruncated>false</IsTruncated>');
let answerList = emptyList;

async function open(): Promise<S3Store> {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const endpoint = `http://127.0.0.1:${address.port}`;
  const keys = { accessKey: 'AKIAIOSFODNN7', secretKey: SECRET };
  const patience = { connectMs: 500, idleMs: 300, workMs: 300 };
  const at = { bucket: 'bucket', prefix: '', endpoint, region: 'us-east-1', pathStyle: true, ...keys };
  store = await S3Store.open(at, data, { patience });
  asked = [];
  return store;
}

/** The object, its HEAD always whole; what a GET answers is the test's. */
function object(get: Answer): void {
  answer = (request, response) => {
    if (request.method !== 'HEAD') return get(request, response);
    response.writeHead(200, { 'content-length': bytes.length, 'last-modified': new Date().toUTCString() }).end();
  };
}

function rangeOf(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
}

async function opened() {
  const blob = await (await open()).open(digest);
  if (!blob) throw new Error('the object is there');
  asked = [];
  return blob;
}

describe('a server that is busy', () => {
  test('is asked again, and what it answers then counts', async () => {
    let busy = 2;
    answerList = (request, response) => {
      busy -= 1;
      if (busy >= 0) xml(response, 503, 'Error', '<Code>SlowDown</Code>');
      else emptyList(request, response);
    };
    await expect(open()).resolves.toBeDefined();
  });

  test('is told apart from one that does not answer, and the key is in no message', async () => {
    answerList = (_, response) => xml(response, 503, 'Error', '<Code>SlowDown</Code>');
    const refused = open();
    await expect(refused).rejects.toMatchObject({ name: 'StoreError', reason: 'unreachable' });
    await expect(refused).rejects.toThrow(/the bucket bucket at http:\/\/127\.0\.0\.1:\d+ .*503 \(SlowDown\)/);
    expect(asked).toHaveLength(3);
    await expect(refused).rejects.toThrow(expect.not.stringContaining(SECRET));
  });

  test('gets the same bytes again, from the beginning', async () => {
    const got: Buffer[][] = [];
    answer = (request, response) => {
      if (request.method === 'HEAD') return void response.writeHead(404).end();
      const chunks: Buffer[] = [];
      got.push(chunks);
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (got.length === 1) xml(response, 500, 'Error', '<Code>InternalError</Code>');
        else response.writeHead(200, { etag: '"1"' }).end();
      });
    };
    expect(await put(await open(), bytes)).toBe(digest);
    expect(got.map((chunks) => Buffer.concat(chunks).equals(bytes))).toEqual([true, true]);
  });
});

test('who never answers is asked once, and named', async () => {
  const store = await open();
  answer = () => {};
  await expect(store.open(digest)).rejects.toThrow(/the bucket bucket at http.* does not answer: no answer for 0\.3 s/);
  expect(asked).toEqual(['HEAD /bucket/blobs/sha256/…']);
});

describe('a transfer', () => {
  test('that nobody takes for a while is not taken for a server that is slow', async () => {
    object((_, response) => response.writeHead(200, { 'content-length': bytes.length }).end(bytes));
    const blob = await opened();
    const chunks: Buffer[] = [];
    for await (const chunk of blob.stream()) {
      if (chunks.length < 2) await sleep(700);
      chunks.push(Buffer.from(chunk));
    }
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(asked).toHaveLength(1);
  });

  test('that is cut goes on where it ended', async () => {
    const ranges: (string | undefined)[] = [];
    object((request, response) => {
      ranges.push(request.headers.range);
      const start = rangeOf(request);
      const end = ranges.length < 3 ? start + 1_000_000 : bytes.length;
      response.writeHead(start === 0 ? 200 : 206, { 'content-length': bytes.length - start });
      response.write(bytes.subarray(start, end), () => (end < bytes.length ? response.destroy() : response.end()));
    });
    expect((await consume(await opened())).equals(bytes)).toBe(true);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => /^bytes=\d+-2999999$/.test(range ?? ''))).toBe(true);
  });

  test('that is cut again and again fails, and never looks complete', async () => {
    object((request, response) => {
      const start = rangeOf(request);
      response.writeHead(start === 0 ? 200 : 206, { 'content-length': bytes.length - start });
      response.write(bytes.subarray(start, start + 1000), () => response.destroy());
    });
    let came = 0;
    const reading = (async () => {
      for await (const chunk of (await opened()).stream()) came += chunk.length;
    })();
    await expect(reading).rejects.toMatchObject({ name: 'StoreError', reason: 'unreachable' });
    expect(came).toBeLessThan(bytes.length);
  });

  test('that stops in the middle fails', async () => {
    object((_, response) => response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 1000)));
    await expect(consume(await opened())).rejects.toThrow('does not answer');
  });

  test.each([
    ['shorter', bytes.subarray(0, 2_000_000)],
    ['longer', Buffer.concat([bytes, Buffer.from('x')])],
  ])('of an object that is %s than it was said to be is corrupt', async (_, sent) => {
    object((_, response) => response.writeHead(200, { 'content-length': sent.length }).end(sent));
    const blob = await opened();
    await expect(blob.bytes()).rejects.toMatchObject({
      name: 'StoreError',
      reason: 'corrupt',
      message: expect.stringMatching(/ in the bucket bucket at http.* is not whole/),
    });
  });
});

test('an upload in parts that fails is given up on the server, too', async () => {
  answer = (request, response) => {
    const { method } = request;
    if (method === 'HEAD') response.writeHead(404).end();
    else if (method === 'DELETE') response.writeHead(204).end();
    else if (method === 'POST') xml(response, 200, 'InitiateMultipartUploadResult', '<UploadId>one</UploadId>');
    else request.resume().on('end', () => xml(response, 403, 'Error', '<Code>QuotaExceeded</Code>'));
  };
  const upload = await (await open()).begin();
  await upload.write(sample(IN_PARTS * 2));
  await expect(upload.commit()).rejects.toMatchObject({
    reason: 'full',
    message: expect.stringContaining('QuotaExceeded'),
  });
  const methods = asked.map((line) => line.split(' ')[0]);
  expect(methods).toEqual(['HEAD', 'POST', 'PUT', 'PUT', 'DELETE']);
});
