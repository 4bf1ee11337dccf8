import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Reply } from './fake-upstream-answer.ts';

/**
 * One entry of a folder's `manifest.json`, a list of what an upstream said; bodies lie beside it. Upstream hosts are
 * written `https://upstream.test`, in addresses, headers and bodies alike; the fake puts its own address there.
 */
export interface RecordedExchange {
  readonly url: string;
  readonly method?: string;
  readonly status?: number;
  readonly type?: string;
  /** Lower-case names, Content-Type and the validators left out. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Without quotes. */
  readonly etag?: string;
  readonly lastModified?: string;
  /** Name of the file with the body; absent when there was none. */
  readonly file?: string;
}

export const RECORDED_ORIGIN = 'https://upstream.test';

const TEXT = /^(text\/|application\/([\w.-]+\+)?(json|xml|javascript|yaml|x-ndjson)\b)/;

export function readFixtures(folder: string | URL): { method: string; path: string; reply: Reply }[] {
  const root = folder instanceof URL ? fileURLToPath(folder) : folder;
  const exchanges = JSON.parse(readFileSync(join(root, 'manifest.json'), 'utf8')) as RecordedExchange[];
  return exchanges.map(({ url, method = 'GET', status = 200, type, headers = {}, file, etag, lastModified }) => {
    if (!url.startsWith(`${RECORDED_ORIGIN}/`))
      throw new Error(`${join(root, 'manifest.json')}: ${url} is not below ${RECORDED_ORIGIN}`);
    const reply: Reply = {
      status,
      headers: type === undefined ? headers : { ...headers, 'content-type': type },
      ...(file === undefined ? {} : { body: readFileSync(join(root, file)) }),
      ...(etag === undefined ? {} : { etag }),
      ...(lastModified === undefined ? {} : { lastModified }),
    };
    return { method, path: url.slice(RECORDED_ORIGIN.length), reply };
  });
}

/** Puts the fake's own address where the recorded one is; the bytes of what is no text stay. */
export function withAddress(reply: Reply, address: string): Reply {
  const put = (text: string): string => text.replaceAll(RECORDED_ORIGIN, address);
  const headers = Object.fromEntries(Object.entries(reply.headers ?? {}).map(([name, value]) => [name, put(value)]));
  const { body } = reply;
  if (body === undefined) return { ...reply, headers };
  if (typeof body === 'string') return { ...reply, headers, body: put(body) };
  const isText = TEXT.test(headers['content-type'] ?? '') && headers['content-encoding'] === undefined;
  return isText ? { ...reply, headers, body: put(Buffer.from(body).toString('utf8')) } : { ...reply, headers };
}
