/**
 * Records what an upstream says into a folder of fixtures:
 *
 *     node server/test/support/record.ts <folder> <url> [--accept TYPE] [--host HOST]…
 *
 * The host of the address, and each `--host`, is written `https://upstream.test`. An exchange that was recorded before is
 * replaced.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RECORDED_ORIGIN, type RecordedExchange } from './fake-upstream-fixtures.ts';

/** Of the upstream's own headers, those that say something about the document. */
const KEPT = ['location', 'link', 'cache-control', 'retry-after', 'www-authenticate', 'digest', 'x-checksum-sha1'];

export interface Recorder {
  readonly folder: string;
  readonly url: string;
  readonly accept?: string;
  /** Hosts besides the address's own that are written `https://upstream.test` too. */
  readonly hosts?: readonly string[];
}

export async function record({ folder, url, accept = '*/*', hosts = [] }: Recorder): Promise<RecordedExchange> {
  const address = new URL(url);
  const hidden = [address.host, ...hosts];
  const answer = await fetch(url, { redirect: 'manual', headers: { accept } });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const type = answer.headers.get('content-type') ?? undefined;
  const isText = bytes.equals(Buffer.from(bytes.toString('utf8')));
  const body = isText ? Buffer.from(masked(bytes.toString('utf8'), hidden)) : bytes;
  const kept = KEPT.flatMap((name): [string, string][] => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, masked(value, hidden)]];
  });
  const etag = answer.headers.get('etag')?.replace(/^W\//, '').replaceAll('"', '');
  const lastModified = answer.headers.get('last-modified') ?? undefined;
  const file = body.length === 0 ? undefined : fileName(address, type);
  const exchange: RecordedExchange = {
    url: masked(address.href, hidden),
    ...(answer.status === 200 ? {} : { status: answer.status }),
    ...(type === undefined ? {} : { type }),
    ...(kept.length === 0 ? {} : { headers: Object.fromEntries(kept) }),
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(file === undefined ? {} : { file }),
  };
  mkdirSync(folder, { recursive: true });
  if (file !== undefined) writeFileSync(join(folder, file), body);
  keep(folder, exchange);
  return exchange;
}

function keep(folder: string, exchange: RecordedExchange): void {
  const path = join(folder, 'manifest.json');
  const known = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as RecordedExchange[]) : [];
  const others = known.filter(({ url }) => url !== exchange.url);
  writeFileSync(path, `${JSON.stringify([...others, exchange], null, 2)}\n`);
}

function masked(text: string, hosts: readonly string[]): string {
  const spellings = hosts.flatMap((host) => [`https://${host}`, `http://${host}`, `//${host}`]);
  const replacement = (spelling: string): string =>
    spelling.startsWith('//') ? RECORDED_ORIGIN.slice('https:'.length) : RECORDED_ORIGIN;
  const replaced = spellings.reduce((result, spelling) => result.replaceAll(spelling, replacement(spelling)), text);
  return hosts.reduce((result, host) => result.replaceAll(host, 'upstream.test'), replaced);
}

function fileName({ pathname, search }: URL, type = ''): string {
  const name = `${pathname}${search}`.replace(/^\/|\/$/g, '').replace(/[^\w.-]+/g, '-') || 'index';
  const extension = /\bjson\b/.test(type) ? '.json' : /\bhtml\b/.test(type) ? '.html' : '';
  return name.endsWith(extension) ? name : `${name}${extension}`;
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { accept: { type: 'string' }, host: { type: 'string', multiple: true } },
  });
  const [folder, url] = positionals;
  if (folder === undefined || url === undefined)
    throw new Error('record.ts <folder> <url> [--accept TYPE] [--host HOST]…');
  const accept = values.accept === undefined ? {} : { accept: values.accept };
  const exchange = await record({ folder, url, hosts: values.host ?? [], ...accept });
  console.log(`${exchange.url} → ${exchange.file ?? 'no body'}`);
}
