import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { S3Bucket } from './s3-bucket.ts';

/** A file as large as this is sent in parts. */
export const IN_PARTS = 16 * 1024 * 1024;
/** S3 takes 10,000 parts. */
const MOST_PARTS = 9000;
const AT_ONCE = 4;
/** What the server copies in one call; S3 allows 5 GB. */
const COPIED = 1024 ** 3;

interface Piece {
  readonly start: number;
  readonly length: number;
}

/** Puts a local file under a key. `hash`: its SHA-256, lower-case hex. Throws `StoreError`; nothing is there then. */
export async function sendFile(
  bucket: S3Bucket,
  key: string,
  file: { readonly path: string; readonly size: number; readonly hash: string },
): Promise<void> {
  const { path, size, hash } = file;
  if (size < IN_PARTS) {
    await sendPiece(bucket, key, path, { start: 0, length: size }, hash);
    return;
  }
  const length = Math.max(IN_PARTS, Math.ceil(size / MOST_PARTS));
  await inParts(bucket, key, size, length, async (piece, query) =>
    sendPiece(bucket, key, path, piece, await hashOf(bucket, path, piece), query),
  );
}

/** As `S3Bucket.copy`, for any size. */
export async function copyObject(bucket: S3Bucket, from: string, to: string, size: number): Promise<void> {
  if (size <= COPIED) {
    await bucket.copy(from, to);
    return;
  }
  const source = encodeURI(`${bucket.address.bucket}/${from}`);
  await inParts(bucket, to, size, COPIED, ({ start, length }, _, { id, number }) =>
    bucket.call(async (client, bucketName) => {
      const headers = {
        'x-amz-copy-source': source,
        'x-amz-copy-source-range': `bytes=${start}-${start + length - 1}`,
      };
      const part = { bucketName, objectName: to, uploadID: id, partNumber: number, headers };
      return (await client.uploadPart(part, '')).etag;
    }),
  );
}

/** The same piece again puts the same bytes in the same place, so that it can be repeated. Resolves to its tag. */
function sendPiece(
  bucket: S3Bucket,
  objectName: string,
  path: string,
  { start, length }: Piece,
  hash: string,
  query?: string,
): Promise<string> {
  return bucket.call(async (client, bucketName) => {
    const headers = { 'content-length': String(length), 'content-type': 'application/octet-stream' };
    const request = { method: 'PUT', bucketName, objectName, headers, ...(query === undefined ? {} : { query }) };
    const body = length === 0 ? Buffer.alloc(0) : createReadStream(path, { start, end: start + length - 1 });
    try {
      // With plain HTTP the server checks what it got by this hash; with HTTPS the connection does.
      const response = await client.makeRequestStreamAsync(request, body, client.enableSHA256 ? hash : '', [200], '');
      for await (const _ of response);
      return response.headers.etag ?? '';
    } finally {
      if (!Buffer.isBuffer(body)) body.destroy();
    }
  });
}

async function hashOf(bucket: S3Bucket, path: string, { start, length }: Piece): Promise<string> {
  if (!bucket.client.enableSHA256) return '';
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { start, end: start + length - 1 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function inParts(
  bucket: S3Bucket,
  key: string,
  size: number,
  length: number,
  send: (piece: Piece, query: string, part: { readonly id: string; readonly number: number }) => Promise<string>,
): Promise<void> {
  const count = Math.ceil(size / length);
  const id = await bucket.call((client, name) =>
    client.initiateNewMultipartUpload(name, key, { 'content-type': 'application/octet-stream' }),
  );
  try {
    const parts = await sendAll(count, async (number) => {
      const start = (number - 1) * length;
      const piece = { start, length: Math.min(length, size - start) };
      return send(piece, `uploadId=${encodeURIComponent(id)}&partNumber=${number}`, { id, number });
    });
    await complete(bucket, key, size, () =>
      bucket.call((client, name) => client.completeMultipartUpload(name, key, id, parts)),
    );
  } catch (error) {
    // What cannot be removed now is removed when it is a day old.
    await bucket.call((client, name) => client.abortMultipartUpload(name, key, id)).catch(() => {});
    throw error;
  }
}

/** Some at a time, numbered from 1; when one fails, none is under way any more by the time this throws. */
async function sendAll(
  count: number,
  send: (number: number) => Promise<string>,
): Promise<{ part: number; etag: string }[]> {
  const parts: { part: number; etag: string }[] = [];
  let next = 1;
  const sendSome = async (): Promise<void> => {
    while (next <= count) {
      const part = next;
      next += 1;
      const etag = await send(part).catch((error: unknown) => {
        next = count + 1;
        throw error;
      });
      parts.push({ part, etag });
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, count) }, sendSome));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return parts.sort((a, b) => a.part - b.part);
}

/** An answer that got lost may have been a yes: then the second try finds no upload, but the object. */
async function complete(bucket: S3Bucket, key: string, size: number, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const found = await bucket.find(key).catch(() => undefined);
    if (found?.size !== size) throw error;
  }
}
